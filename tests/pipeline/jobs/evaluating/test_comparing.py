from datetime import UTC, datetime

import pytest

from pipeline.chat import Answer
from pipeline.errors import SitetwinError
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.evaluation.systems import System
from pipeline.jobs.evaluating.comparing import compare
from pipeline.jobs.evaluating.record import Evaluation, Reply, SystemResult
from pipeline.jobs.evaluating.report.wording import said

QUESTIONS = [GoldenQuestion(question=f"What is {n}?", fact=(str(n),), page=("p",)) for n in range(12)]


def evaluation(number: int, system: str, right: int, questions: list[GoldenQuestion] = QUESTIONS) -> Evaluation:
    """One in which the first `right` questions were answered right."""
    answer = Answer(question="?", mode="rag", answer="", citations=[], refused=False, model="m")
    values = {one.question: float(place < right) for place, one in enumerate(questions)}
    result = SystemResult(
        system=System(name=system), model="m", adapter="", memory_mb=None, values={"accuracy": values},
        replies=[Reply(question=one.question, answer=answer) for one in questions],
    )  # fmt: skip
    return Evaluation(
        number=number, made_at=datetime.now(UTC), seconds=1, visibility=None, file="golden.jsonl", questions=questions,
        known={}, data_set=None, kept=0, parallel=4, systems={system: result}, comparisons=[],
    )  # fmt: skip


def test_what_became_better_is_said_with_its_doubt() -> None:
    (found,) = compare(evaluation(1, "rag", 3), evaluation(2, "rag", 12))
    assert (found.difference, found.questions) == (0.75, 12)
    # Nine questions differ, all in one direction.
    assert found.p == pytest.approx(2 / 2**9)
    assert said(found).startswith("rag of 2 is better than rag of 1, accuracy: +75 points (+50 to +100), p = .004")


def test_a_small_difference_is_not_shown() -> None:
    (found,) = compare(evaluation(1, "rag", 10), evaluation(2, "rag", 11))
    assert said(found) == "rag of 1 and rag of 2, accuracy: no difference shown on 12 questions"


def test_other_systems_and_other_questions_can_not_be_compared() -> None:
    with pytest.raises(SitetwinError, match="no system in common"):
        compare(evaluation(1, "rag", 3), evaluation(2, "base", 3))
    with pytest.raises(SitetwinError, match="fewer than five questions in common"):
        compare(evaluation(1, "rag", 3, QUESTIONS[:6]), evaluation(2, "rag", 3, QUESTIONS[6:]))
