"""Grades as teachers and judges really write them."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from pipeline.dataset.records import Score

SCORE = TypeAdapter(Score)


@pytest.mark.parametrize(
    ("written", "score"),
    [
        (9, 9), (9.0, 9), (8.5, 9), (8.4, 8), (0.9, 9), (1, 1), (10, 10), ("9", 9), ("9.0", 9), ("8,5", 9),
        ("9/10", 9), (" 9 / 10 ", 9), ("4 out of 5", 8), ("85/100", 9), ("90 %", 9),
    ],
)  # fmt: skip
def test_grades_are_read(written: Any, score: int) -> None:
    assert SCORE.validate_python(written) == score


@pytest.mark.parametrize("written", ["high", "", None, 11, 0, -3, "12/10", "3/0", float("nan"), [9]])
def test_what_is_no_grade_is_none(written: Any) -> None:
    with pytest.raises(ValidationError):
        SCORE.validate_python(written)
