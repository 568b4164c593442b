"""A golden question as a few lines of plain text, which a person can edit: `fact: 2013 | two thousand and thirteen`."""

from typing import Any

from pydantic import ValidationError

from pipeline.errors import SitetwinError
from pipeline.evaluation.golden import GoldenQuestion

ALTERNATIVES = " | "
"""Stands between the ways of saying one fact."""


def as_text(question: GoldenQuestion) -> str:
    """Everything but the question itself, one key a line. Each line `fact` is one fact, with its alternatives."""
    lines = [f"kind: {question.kind}"]
    if question.why:
        lines.append(f"why: {question.why}")
    lines += [f"fact: {ALTERNATIVES.join(group)}" for group in question.groups]
    lines += [f"must not: {text}" for text in question.must_not]
    lines += [f"stale: {text}" for text in question.stale]
    lines += [f"page: {page}" for page in question.page]
    if question.reference:
        lines.append(f"reference: {' '.join(question.reference.split())}")
    return "\n".join(lines)


def from_text(question: str, text: str) -> GoldenQuestion:
    """The golden question that `as_text` or a person has written.

    Args:
        question: the question itself.
        text: its lines.

    Raises:
        SitetwinError: a line has no known key, or the question is not whole.
    """
    found: dict[str, Any] = {"question": question}
    for line in filter(None, map(str.strip, text.splitlines())):
        key, _, value = (part.strip() for part in line.partition(":"))
        if key == "fact":
            found.setdefault("facts", []).append(
                [one.strip() for one in value.split(ALTERNATIVES.strip()) if one.strip()]
            )
        elif key in ("must not", "stale", "page"):
            found.setdefault(key.replace(" ", "_"), []).append(value)
        elif key in ("kind", "why", "reference"):
            found[key] = value
        else:
            raise SitetwinError(
                f"“{line[:60]}” begins with no known key: begin it with kind, why, fact, must not, stale, page or reference"
            )
    try:
        return GoldenQuestion.model_validate(found)
    except ValidationError as error:
        raise SitetwinError(f"{error.errors()[0]['msg'].removeprefix('Value error, ')}: mend the lines") from None
