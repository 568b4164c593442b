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
    with pytest.raises(SitetwinError, match=r"decisions.jsonl:2: Field required: mend or remove that line"):
        read_decisions(file)
