from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks.written_answers import FORMER, TODAY, Row, chosen, figures, former, pace, systems, table
from benchmarks.written_answers import ask as ask_system
from pipeline.answerability.judging import Answerability
from pipeline.chat.assistant import Assistant
from pipeline.chat.conversation import understand
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.index.passages import Passage
from pipeline.settings import Settings

PORT = GoldenQuestion(question="Which port does the gateway listen on?", fact=("8765",), page=("gateway.md",))
MARS = GoldenQuestion(question="Who lives on Mars?", answerable=False)
PASSAGES = [
    Passage(
        id="gateway.md#1", document="gateway.md", title="Gateway", url="", heading="", score=1, visibility="public",
        text="The gateway listens on port 8765.",
    )
]  # fmt: skip


class Client:
    def generate(self, messages: list[dict[str, str]], **how: object) -> Iterator[str]:
        is_former = messages[0]["role"] == "system"
        yield "[1] That is not in these notes." if is_former else "The gateway listens on port 8765."


@pytest.fixture
def assistant(tmp_path: Path) -> Assistant:
    return Assistant(
        Settings(root=tmp_path),
        open_index=lambda: pytest.fail("the passages are given"),
        connect=lambda adapter: Client(),  # type: ignore[arg-type, return-value]
        judge=lambda question, passages: Answerability(0.1 if "Mars" in question else 0.9, 0.3),
        similarity=lambda question, texts: [0.7] * len(texts),
    )


def test_three_systems_answer_from_the_same_passages(assistant: Assistant) -> None:
    found = {}
    for name, system in systems(assistant, "lab-0.5b").items():
        rows = [ask_system(system, question, PASSAGES) for question in (PORT, MARS)]
        found[name] = figures("docs", name, rows)
    assert [(one.right, one.refusal_precision, one.refusal_recall) for one in found.values()] == [
        (1.0, 1.0, 1.0),
        (0.0, 0.5, 1.0),
        (1.0, 1.0, 1.0),
    ]
    assert [one.own_words for one in found.values()] == [0.0, None, 1.0]
    assert "refusal_recall" in table(list(found.values()))


def test_an_invented_number_counts_as_unsupported(assistant: Assistant) -> None:
    def invents(messages: Sequence[object]) -> Iterator[str]:
        yield "The gateway listens on port 9999. [1]"

    row = ask_system(
        lambda asked, passages: former(asked, passages, assistant, invents, "m"), PORT, PASSAGES
    )  # fmt: skip
    assert (row.unsupported, row.verdict.fact, row.verdict.cited) == (True, False, True)
    assert former(understand("Who lives on Mars?", [], 0), PASSAGES, assistant, invents, "m").refused


def test_a_limit_keeps_both_kinds_of_questions() -> None:
    assert [question.answerable for question in chosen("docs", 3)] == [True] * 3 + [False] * 2
    assert len(chosen("docs", None)) == 45


def test_pace_counts_the_questions_that_both_answered(assistant: Assistant) -> None:
    row = ask_system(systems(assistant, "lab-0.5b")["today"], PORT, PASSAGES)
    declined = ask_system(systems(assistant, "lab-0.5b")["today"], MARS, PASSAGES)

    def asked(system: str, question: str, seconds: float) -> tuple[str, str, Row]:
        question_row = PORT.model_copy(update={"question": question})
        return "docs", system, row.model_copy(update={"seconds": seconds, "question": question_row})

    rows = [
        *(asked(FORMER, question, seconds) for question, seconds in (("a", 2.0), ("b", 4.0), ("c", 90.0))),
        *(asked(TODAY, question, seconds) for question, seconds in (("a", 3.0), ("b", 6.0))),
        ("docs", FORMER, declined),
        ("docs", TODAY, declined),
    ]
    assert pace(rows) == 1.5
    assert pace(rows[3:]) is None
