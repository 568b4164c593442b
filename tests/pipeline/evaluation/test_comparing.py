import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from pipeline.evaluation.comparing import AnswerScores, Comparison, ScoredAnswer, by_measure, not_worse
from pipeline.evaluation.figures import Compared
from pipeline.evaluation.measures import About


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


def compared(difference: float, low: float, high: float) -> Compared:
    return Compared(
        a="old", b="new", measure="m", difference=difference, low=low, high=high, p=1, raw_p=1, questions=40
    )


SHARE = About(key="m", title="Measure", sentence="", cannot_see="")


@pytest.mark.parametrize(
    ("about", "found", "is_not_worse", "word"),
    [
        (SHARE, compared(0.2, 0.1, 0.3), True, "better (+0.20"),
        (SHARE, compared(-0.04, -0.1, 0.02), True, "not worse (-0.04"),
        (SHARE, compared(-0.06, -0.2, 0.1), False, "worse (-0.06"),
        (SHARE, compared(-0.03, -0.05, -0.01), False, "worse (-0.03"),
        (replace(SHARE, better="lower"), compared(0.2, 0.1, 0.3), False, "worse (-0.20, 95 % interval -0.30 to -0.10)"),
        (replace(SHARE, better="lower"), compared(-0.2, -0.3, -0.1), True, "better (+0.20"),
        (replace(SHARE, better="lower", unit="distance"), compared(0.2, -0.1, 0.4), True, "not worse (-0.20"),
    ],
)
def test_worse_by_a_measure_is_a_clear_loss_in_its_direction(
    about: About, found: Compared, is_not_worse: bool, word: str
) -> None:
    comparison = by_measure(found, about, "lora", "new", None, (0.5, 0.6))
    assert comparison.is_not_worse is is_not_worse
    assert f"lora, measure: new 0.50, the base 0.60 on 40 questions: {word}" in comparison.text


def test_a_measure_of_too_few_questions_decides_nothing() -> None:
    comparison = by_measure(None, SHARE, "lora", "new", "old", (1.0, 0.0))
    assert (comparison.is_not_worse, comparison.questions) == (True, 0)
    assert comparison.text == "lora, measure: too few questions to compare new with old"


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
