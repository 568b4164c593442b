import json

import pytest
from click.testing import CliRunner

from benchmarks.first_answers import Row, main, report, show
from pipeline.chat import Answer, Citation
from pipeline.evaluation.golden import GoldenQuestion, judge

PORT = GoldenQuestion(question="Which port?", fact=("8765",), page=("docs/first-run.md",))
PERU = GoldenQuestion(question="What is the capital of Peru?", answerable=False)


def row(question: GoldenQuestion, text: str, *, refused: bool = False, found: bool = True, seconds: float = 1.0) -> Row:
    cited = [] if refused else ["docs/first-run.md"]
    answer = Answer(
        question=question.question,
        mode="rag",
        answer=text,
        citations=[Citation(n=1, document=name, title="", url="", heading="", quote="") for name in cited],
        refused=refused,
        model="tiny",
    )
    verdict = judge(question, answer)
    return Row(question=question, verdict=verdict, found=found, similarity=0.5, answer=answer, seconds=seconds)


def test_the_ratio_is_the_share_of_right_answers_over_the_goal():
    rows = [
        row(PORT, "8765 [1]"),
        row(PORT, "80 [1]", found=False, seconds=3),
        row(PERU, "no", refused=True, found=False),
    ]
    result = report(rows)
    assert result.ratio == pytest.approx(0.5 / 0.8)
    assert (result.found, result.shares.refusal_recall, result.seconds_per_question) == (0.5, 1.0, 1.0)


def test_a_row_shows_what_went_wrong():
    shown = show(row(PORT, "port\n80 [1]", found=False))
    assert shown.startswith("✗ Which port?")
    assert "found no" in shown
    assert "port 80 [1]" in shown
    assert "docs/first-run.md" in shown


def test_without_questions_the_command_says_so(tmp_path):
    (tmp_path / "sitetwin.toml").write_text("", "utf-8")
    (tmp_path / "questions.jsonl").write_text(json.dumps({"question": "a?", "answerable": False}), "utf-8")
    options = ["--config", tmp_path / "sitetwin.toml", "--questions", tmp_path / "questions.jsonl", "--only", "nothing"]
    result = CliRunner().invoke(main, [str(option) for option in options])
    assert result.exit_code == 1
    assert "no question to ask" in result.output
