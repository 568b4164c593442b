from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import ValidationError

from pipeline.dataset.decisions import Decision, read_decisions, record_decisions
from pipeline.errors import SitetwinError


def test_the_last_word_counts_and_undo_takes_it_back(tmp_path):
    file = tmp_path / "datasets" / "decisions.jsonl"
    record_decisions(file, [Decision(pair="a", action="accept"), Decision(pair="b", action="reject")])
    record_decisions(file, [Decision(pair="a", action="reject"), Decision(pair="b", action="undo")])
    assert {id: decision.action for id, decision in read_decisions(file).items()} == {"a": "reject"}
    assert len(file.read_text(encoding="utf-8").splitlines()) == 4


def test_no_file_is_no_decision(tmp_path):
    assert read_decisions(tmp_path / "decisions.jsonl") == {}


def test_an_edit_needs_question_and_answer():
    with pytest.raises(ValidationError, match="needs a question and an answer"):
        Decision(pair="a", action="edit", question="Why?", answer="  ")


def test_a_broken_line_is_named(tmp_path):
    file = tmp_path / "decisions.jsonl"
    record_decisions(file, [Decision(pair="a", action="accept")])
    file.write_text(file.read_text(encoding="utf-8") + '{"pair": "b"}\n', encoding="utf-8")
    with pytest.raises(SitetwinError, match=r"decisions.jsonl:2: action: Field required: mend or remove that line"):
        read_decisions(file)


def test_a_line_ends_where_json_says_so(tmp_path):
    file = tmp_path / "decisions.jsonl"
    answer = "First.\u2028Second.\x85Third.\r\nFourth."
    record_decisions(file, [Decision(pair="a", action="edit", question="Why?", answer=answer)])
    assert read_decisions(file)["a"].answer == answer


def test_two_who_decide_at_once_do_not_mix_their_lines(tmp_path):
    file = tmp_path / "decisions.jsonl"

    def decide(name):
        for number in range(50):
            words = {"question": "Why?", "answer": name * 10_000}
            record_decisions(file, [Decision(pair=f"{name}{number}", action="edit", **words)])

    with ThreadPoolExecutor(2) as both:
        list(both.map(decide, "ab"))
    assert len(read_decisions(file)) == 100


def test_a_decision_below_a_line_without_an_end_is_a_line_of_its_own(tmp_path):
    file = tmp_path / "decisions.jsonl"
    file.write_text('{"pair":"abcd","action":"reject"}', encoding="utf-8")  # as an editor leaves it
    record_decisions(file, [Decision(pair="b", action="accept")])
    assert {id: decision.action for id, decision in read_decisions(file).items()} == {"abcd": "reject", "b": "accept"}
