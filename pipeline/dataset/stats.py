"""Describes a data set by numbers and examples."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel

from pipeline.dataset.filters import redacted
from pipeline.dataset.filters.other_languages import has_rules
from pipeline.dataset.records import Split
from pipeline.dataset.versions import DatasetCard, DatasetRow, Rejected, read_card, read_rejected, read_rows
from pipeline.text.detecting import count_languages

BAR_CHARS = 40
EXAMPLES = 3


class PairCounts(BaseModel):
    """Numbers of pairs."""

    accepted: int
    rejected: int


class Stats(BaseModel):
    """The numbers of one data set."""

    version: int
    teacher: str
    judge: str | None
    visibility: str
    documents: int
    chunks: int
    pairs: PairCounts
    rejected_by_reason: dict[str, int]
    """Rejected pairs by stage of the filter, the most frequent first."""
    kinds: dict[str, int]
    """Accepted pairs by kind."""
    splits: dict[Split, int]
    """Accepted pairs by split."""
    documents_in_two_splits: int
    without_rules: dict[str, int]
    """Accepted and rejected pairs by language, as ISO 639-1 code, whose labels, refusals and cut ends the filter doesn't know."""
    accuracy: dict[int, int]
    style: dict[int, int]
    """Accepted and rejected pairs by the teacher's own grade."""


def stats(folder: Path) -> Stats:
    """The numbers of the data set in `folder`."""
    card, rows, rejected = read_card(folder), read_rows(folder), read_rejected(folder)
    every = [row.pair for row in rows] + [row.pair for row in rejected]
    return Stats(
        version=card.version,
        teacher=card.teacher,
        judge=card.judge,
        visibility=card.visibility,
        documents=card.documents,
        chunks=card.chunks,
        pairs=PairCounts(accepted=len(rows), rejected=len(rejected)),
        rejected_by_reason=dict(Counter(row.rejection.stage for row in rejected).most_common()),
        kinds=dict(Counter(row.pair.kind for row in rows).most_common()),
        splits=card.splits,
        documents_in_two_splits=_in_two_splits(rows),
        without_rules=without_rules_for(pair.answer for pair in every),
        accuracy=_by_grade(pair.accuracy for pair in every),
        style=_by_grade(pair.style for pair in every),
    )


def describe(folder: Path) -> Iterator[str]:
    """Yields the numbers as lines for a person, with histograms and examples of rejected pairs."""
    found, card = stats(folder), read_card(folder)
    yield f"data set {found.version} ({found.visibility}), {card.made_at:%Y-%m-%d %H:%M}, teacher {found.teacher}"
    yield f"{found.documents} documents, {found.chunks} chunks, judged by {found.judge or 'no model'}"
    yield f"{found.pairs.accepted} pairs accepted, {found.pairs.rejected} rejected"
    yield "splits: " + ", ".join(f"{split} {count}" for split, count in found.splits.items()) + _leak(card, found)
    if card.training_rows:
        yield (
            "rows to train on: "
            + ", ".join(f"{split} {count}" for split, count in card.training_rows.items())
            + (f"; {card.paraphrases} of them in other words" if card.paraphrases else "")
        )
    yield "kinds: " + ", ".join(f"{kind} {count}" for kind, count in found.kinds.items())
    for language, count in found.without_rules.items():
        yield f"{count} pairs in the language {language}: the filter knows no labels, refusals or cut ends in it"
    for name, grades in (("accuracy", found.accuracy), ("style", found.style)):
        yield f"\n{name}, as the teacher grades itself"
        yield from _histogram(grades, card.settings.min_score)
    rejected = read_rejected(folder)
    for stage, count in found.rejected_by_reason.items():
        yield f"\nrejected by {stage}: {count}"
        yield from _examples([row for row in rejected if row.rejection.stage == stage])


def _leak(card: DatasetCard, found: Stats) -> str:
    if card.settings.split_by == "document":
        return ""
    return f"; split by pair, so {found.documents_in_two_splits} documents leak into what they are tested on"


def _in_two_splits(rows: Sequence[DatasetRow]) -> int:
    sides: dict[str, set[Split]] = {}
    for row in rows:
        for chunk in row.pair.chunks:
            sides.setdefault(chunk.rpartition("#")[0], set()).add(row.split)
    return sum(len(found) > 1 for found in sides.values())


def without_rules_for(answers: Iterable[str]) -> dict[str, int]:
    """How many answers are in each language, by ISO 639-1 code, whose words the filter's rules don't know."""
    return {language: count for language, count in count_languages(answers).items() if not has_rules(language)}


def _by_grade(grades: Iterable[int]) -> dict[int, int]:
    counted = Counter(grades)
    return {grade: counted[grade] for grade in range(1, 11)}


def _histogram(grades: dict[int, int], least: int) -> Iterator[str]:
    most = max(grades.values(), default=0) or 1
    for grade, count in grades.items():
        mark = "·" if grade < least else "█"
        yield f"  {grade:2} {mark * -(-count * BAR_CHARS // most):{BAR_CHARS}} {count}"


def _examples(rejected: Sequence[Rejected]) -> Iterator[str]:
    for row in rejected[:EXAMPLES]:
        question, answer = redacted(row.pair.question), redacted(" ".join(row.pair.answer.split()))
        yield f"  {question}\n    {answer[:160]}\n    → {row.rejection.reason}"
