"""Questions that name a day or a season: the notes of those days are asked first."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from pipeline.answerability.judging import AnswerabilityJudge
from pipeline.chat.conversation import Asked
from pipeline.index.filters import Filters
from pipeline.index.passages import Passage
from pipeline.text.days import Period, period_in
from pipeline.text.detecting import main_language
from pipeline.text.languages.tables import table
from pipeline.text.stems import stem
from pipeline.text.words import content_stems

YEARS_BACK = 30
"""How many years back a day without a year is looked for."""
LONGEST_DAYS = 100
"""A year is often what a note speaks of (`replaced in 2019`), not when it was written: what names more days is asked for
only where it names nothing else."""

_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
# strftime would take them from the machine's language
_MONTHS = "January February March April May June July August September October November December".split()

FindIn = Callable[[str, Filters], list[Passage]]
"""Searches for a question among the documents that pass the filters."""


def of_its_days(
    asked: Asked,
    passages: Sequence[Passage],
    *,
    today: date,
    known_days: Callable[[], set[date]],
    find: FindIn,
    judge: AnswerabilityJudge,
) -> tuple[Asked, Sequence[Passage]]:
    """The question without its day, and the passages of that day, where these answer at least as well as `passages`.

    Args:
        passages: what is found for the question as it is.
        known_days: returns the days that documents are of.
    """
    period = period_in(asked.subject, main_language(asked.subject), today)
    meant = _with_notes(period, known_days()) if period else None
    if period is None or meant is None:
        return asked, passages
    day = meant.first.isoformat() if meant.first == meant.last else ""
    about = " ".join(asked.subject.replace(period.words, " ").split())
    of_day = " ".join(asked.subject.replace(period.words, f" {day} ").split())
    only_names_days = _names_only_days(about, main_language(asked.question))
    if (meant.last - meant.first).days > LONGEST_DAYS and not only_names_days:
        return asked, passages
    found = find(of_day, Filters(after=meant.first, before=meant.last))
    if not found:
        return asked, passages
    if only_names_days:
        return replace(asked, subject=of_day, of_days=True, only_names_days=True), found
    is_better = judge(about, found).probability >= judge(asked.subject, passages).probability
    return (replace(asked, subject=about, of_days=True), found) if is_better else (asked, passages)


def asks_when(asked: Asked) -> bool:
    """Whether the answer is to say the day of its note: the question asks when, or names days."""
    rules = table(main_language(asked.question) or "en")
    return asked.of_days or rules.asked_kind(asked.question) in ("time", "date")


def with_days(asked: Asked, passages: Sequence[Passage]) -> list[Passage]:
    """The passages with the day of their note above the text, where the answer is to say it and the text names no year.

    A text that names one speaks of that year itself: a model must not take the note's day for it.
    """
    if not asks_when(asked):
        return list(passages)
    return [
        passage.model_copy(update={"text": f"{_in_words(passage.date)}\n\n{passage.text}"})
        if passage.date and (asked.of_days or not _YEAR.search(passage.text))
        else passage
        for passage in passages
    ]


def _in_words(day: str) -> str:
    """`2024-01-05` as it is and as people write it."""
    named = date.fromisoformat(day)
    return f"{day} ({_MONTHS[named.month - 1]} {named.day}, {named.year})"


def _names_only_days(about: str, language: str) -> bool:
    """Whether a question without its days asks for nothing but what these days held."""
    happens = {stem(word, language) for word in table(language or "en").happens}
    return set(content_stems(about, language)) <= happens


def _with_notes(period: Period, days: set[date]) -> Period | None:
    """The period, in the latest year in which documents are of it; None when there is none."""
    years = range(YEARS_BACK + 1 if period.any_year else 1)
    tried = (period if not back else period.years_before(back) for back in years)
    return next((one for one in tried if any(map(one.holds, days))), None)
