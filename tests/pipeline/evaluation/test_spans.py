import csv
import json
from pathlib import Path

import pytest

from pipeline.errors import SitetwinError
from pipeline.evaluation.spans import SpanQuestion, SpanScores, precision_omega, read_spans, score

DATA = Path(__file__).parents[3] / ".." / "shared" / "data" / "chunking-evaluation"


def write(folder: Path, corpora: dict[str, str], rows: list[tuple[str, str, list[tuple[int, int]]]]) -> None:
    for name, text in corpora.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    with (folder / "questions.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["question", "references", "corpus_id"])
        for question, corpus, spans in rows:
            found = [{"content": corpora[corpus][a:b], "start_index": a, "end_index": b} for a, b in spans]
            table.writerow([question, json.dumps(found), corpus])


def test_questions_and_their_texts_are_read(tmp_path):
    write(tmp_path, {"a": "Grüße. Two.", "unasked": "x"}, [("Which?", "a", [(0, 6), (7, 11)])])
    data = read_spans(tmp_path)
    assert data.corpora == {"a": "Grüße. Two."}
    assert data.questions == [SpanQuestion("Which?", "a", ((0, 6), (7, 11)))]


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(SitetwinError, match=r"questions\.csv"):
        read_spans(tmp_path)
    write(tmp_path, {"a": "One."}, [("Which?", "a", [(0, 4)])])
    (tmp_path / "a.md").unlink()
    with pytest.raises(SitetwinError, match=r"a\.md"):
        read_spans(tmp_path)


def test_a_text_that_changed_since_is_refused(tmp_path):
    write(tmp_path, {"a": "One."}, [("Which?", "a", [(0, 4)])])
    (tmp_path / "a.md").write_text("Another.", encoding="utf-8")
    with pytest.raises(SitetwinError, match=r"a\.md does not hold the answers"):
        read_spans(tmp_path)


@pytest.mark.parametrize("text", ["", "question,answer\nx,y\n", "question,references,corpus_id\nx,no json,a\n"])
def test_another_layout_is_refused(tmp_path, text):
    (tmp_path / "questions.csv").write_text(text, encoding="utf-8")
    with pytest.raises(SitetwinError, match=r"questions\.csv"):
        read_spans(tmp_path)


ASKED = SpanQuestion("Which?", "a", ((10, 20), (50, 60)))


def test_a_perfect_answer():
    assert score(ASKED, [("a", (10, 20)), ("a", (50, 60))]) == SpanScores(1.0, 1.0, 1.0)


def test_half_of_the_answer_in_a_chunk_twice_as_long():
    # 10 of 20 characters in 20 retrieved; 30 were retrieved or should have been
    assert score(ASKED, [("a", (5, 25))]) == SpanScores(0.5, 0.5, 10 / 30)


def test_what_is_retrieved_twice_counts_twice_as_retrieved_and_once_as_found():
    # 10 found in 20 + 20 retrieved
    assert score(ASKED, [("a", (10, 30)), ("a", (5, 25))]) == SpanScores(0.5, 10 / 40, 10 / 50)


def test_another_texts_chunk_is_only_ballast():
    assert score(ASKED, [("b", (10, 20)), ("a", (50, 60))]) == SpanScores(0.5, 0.5, 10 / 30)


def test_nothing_retrieved():
    assert score(ASKED, []) == SpanScores(0.0, 0.0, 0.0)


def test_precision_omega_is_what_the_chunks_that_hold_answers_could_reach():
    chunks = [(0, 15), (15, 40), (40, 60), (60, 90)]
    # 20 characters of answers in 15 + 25 + 20
    assert precision_omega(ASKED, chunks) == 20 / 60
    # overlapping chunks count once; what no chunk holds was missed
    assert precision_omega(ASKED, [(0, 30), (10, 30)]) == 10 / (30 + 10)
    assert precision_omega(ASKED, []) == 0


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/chunking-evaluation is not there")
def test_the_shared_data_set():
    data = read_spans(DATA)
    assert (len(data.corpora), len(data.questions)) == (5, 472)
    assert sum(len(question.answers) for question in data.questions) == 790
