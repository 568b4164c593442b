import math
from collections.abc import Sequence

import pytest

from pipeline.evaluation.comparing import AnswerScores, Comparison, ScoredAnswer, largest_losses, not_worse


def scores(name: str | None, values: Sequence[float]) -> AnswerScores:
    answers = [ScoredAnswer(question=str(n), kind="fact", answer="", score=value) for n, value in enumerate(values)]
    return AnswerScores(adapter=name, mode="lora", answers=answers)


def test_worse_is_a_clear_loss_and_chance_is_not() -> None:
    old = scores(None, [0.4, 0.6] * 20)
    better = not_worse(scores("new", [0.7, 0.8] * 20), old)
    assert (better.is_not_worse, better.difference) == (True, pytest.approx(0.25))
    assert better.low > 0
    assert "new 0.75, the base 0.50 on 40 questions: better (+0.25" in better.text
    # Half of the answers a little better, half a little worse.
    even = not_worse(scores("new", [0.36, 0.63] * 20), old)
    assert even.is_not_worse
    assert even.low < 0 < even.high
    # A little, but on every question.
    little = not_worse(scores("new", [0.39, 0.59] * 20), old)
    assert not little.is_not_worse
    assert "worse (-0.01" in little.text
    # Much, but only on some.
    much = not_worse(scores("new", [0.4, 0.6] * 6 + [0.8, 0.6] * 6 + [0.4, 0.0] * 8), old)
    assert much.high > 0
    assert not much.is_not_worse


def test_few_questions_decide_nothing() -> None:
    comparison = not_worse(scores("new", [1.0] * 4), scores("old", [0.0] * 4))
    assert not comparison.is_not_worse
    assert "4 questions are too few" in comparison.text
    assert not not_worse(scores("new", []), scores("old", [])).is_not_worse


def test_the_largest_losses_are_shown_with_both_answers() -> None:
    old, new = scores(None, [1.0, 0.5, 0.5, 1.0, 0.9]), scores("new", [0.2, 0.5, 1.0, 0.0, 0.8])
    new.answers[3].answer = "no\nidea " * 100
    lines = largest_losses(new, old, count=2)
    assert [line.split("\n")[0] for line in lines] == ["lora: 3 1.00 → 0.00", "lora: 0 1.00 → 0.20"]
    assert len(lines[0].split("\n")) == 3
    assert len(lines[0]) < 220
    assert len(largest_losses(new, old, count=9)) == 3


def test_the_interval_is_that_of_a_paired_bootstrap() -> None:
    # Of 30 ones among 40, a resample's mean has a standard deviation of sqrt(.75 * .25 / 40) = .0685: ± 1.96 of it.
    comparison = not_worse(scores("new", [1.0, 1.0, 1.0, 0.0] * 10), scores("old", [0.0] * 40))
    assert comparison.difference == 0.75
    assert (comparison.low, comparison.high) == (pytest.approx(0.616, abs=0.03), pytest.approx(0.884, abs=0.03))
    # The same loss on every question leaves no doubt.
    even = not_worse(scores("new", [0.5] * 6), scores("old", [0.75] * 6))
    assert (even.low, even.high) == (-0.25, -0.25)
    assert not_worse(scores("new", [0.5]), scores("old", [0.75])).low == -0.25


def test_scores_that_are_no_numbers_are_read_as_they_were_written() -> None:
    new = scores("new", [math.nan, math.inf])
    new.answers[0].f1, new.answers[0].specifics = math.nan, -math.inf
    assert repr(AnswerScores.model_validate_json(new.model_dump_json())) == repr(new)
    nothing = dict.fromkeys(("new_mean", "old_mean", "difference", "low", "high"), math.nan)
    comparison = not_worse(scores("new", []), scores("old", [])).model_copy(update=nothing)
    assert repr(Comparison.model_validate_json(comparison.model_dump_json())) == repr(comparison)


def test_null_as_version_0_1_0_wrote_it_is_no_number() -> None:
    read = ScoredAnswer.model_validate_json('{"question": "", "kind": "", "answer": "", "score": null, "f1": null}')
    assert math.isnan(read.score)
    assert read.f1 is None
