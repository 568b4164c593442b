import math
from dataclasses import replace

import pytest

from pipeline.evaluation.comparing import Comparison, by_measure
from pipeline.evaluation.figures import Compared
from pipeline.evaluation.measures import About


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


def test_figures_that_are_no_numbers_are_read_as_they_were_written() -> None:
    nothing = dict.fromkeys(("new_mean", "old_mean", "difference", "low", "high"), math.nan)
    comparison = by_measure(None, SHARE, "lora", "new", "old", (1.0, 0.0)).model_copy(update=nothing)
    assert repr(Comparison.model_validate_json(comparison.model_dump_json())) == repr(comparison)
