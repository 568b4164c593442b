import asyncio
import json
from typing import Any

import pytest

from pipeline.evaluation.judge_model import FACTS, agreement, verdicts
from tests.pipeline.evaluation.planted import QUESTIONS


class Judge:
    """Takes an answer for right that names a year, and gives no verdict on one that has none of the words it knows."""

    name = "judge"

    def __init__(self) -> None:
        self.read: list[str] = []

    async def reply(self, messages: list[dict[str, str]], schema: dict[str, Any], **_: object) -> str:
        self.read.append(messages[-1]["content"])
        answer = messages[-1]["content"].split("<answer>")[1]
        return "I can't say." if "?" in answer else json.dumps({"right": "20" in answer})


def test_a_model_judges_by_the_facts_and_an_unreadable_reply_counts_nowhere() -> None:
    judge, heard = Judge(), []
    asked = [(QUESTIONS[0], "In 2013 [1]."), (QUESTIONS[0], "Last year."), (QUESTIONS[0], "When?")]
    found = asyncio.run(verdicts(judge, asked, lambda place, verdict: heard.append((place, verdict))))
    assert [one.right if one else None for one in found] == [True, False, None]
    assert "- 2013" in judge.read[0]
    assert "[1]" not in judge.read[0]
    assert sorted(heard, key=lambda one: one[0]) == list(enumerate(found))


def test_kappa_is_what_is_left_of_the_agreement_without_chance() -> None:
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: the example of Cohen's kappa, (.7 - .5) / (1 - .5).
    facts = [True] * 25 + [False] * 25
    model = [True] * 20 + [False] * 5 + [True] * 10 + [False] * 15
    found = agreement("The judge", FACTS, facts, model)
    assert found is not None
    assert (found.share, found.kappa) == (0.7, pytest.approx(0.4))
    assert str(found) == (
        "The judge agrees with the hand-written facts on 70% of 50 answers; Cohen's kappa 0.40. It overrules none of them."
    )


def test_a_judge_that_always_says_yes_has_no_kappa() -> None:
    found = agreement("The judge", FACTS, [True, False], [True, True])
    assert found is not None
    assert found.kappa is None
    assert "not defined" in str(found)
    assert agreement("The judge", FACTS, [], []) is None
