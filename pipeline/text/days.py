"""Days in words: `January 5th, 2024`, `am 5. Januar`, `last week`, `in spring 2023`."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from pipeline.text.languages.tables import table

_NUMERIC = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}|\d+\s?[年月日년월일]")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_BEFORE_A_MONTH = re.compile(r"(?:in|im|last|this|since|en|em|au|letzten?|w|в)\s", re.IGNORECASE)
_ONE = re.compile(r"(?:an?|the|one|eine?r?|une?|de|der|die|das)\s+\D+$", re.IGNORECASE)
_SEASONS = {
    3: "spring frühling frühjahr printemps primavera lente voorjaar весной",
    6: "summer sommer été verano verão estate zomer летом",
    9: "autumn fall herbst automne otoño outono autunno herfst осенью",
    12: "winter hiver invierno inverno зимой",
}
"""The first month of each season in the north, with its names."""
_MONTHS = {name: month for month, names in _SEASONS.items() for name in names.split()}
_SEASON = re.compile(
    r"(?:\b(?:in|during|this|last|im|letzte[nrs]?|diese[nrs]?|en|au|cet|l'|el|la|no|na|in de|vorig|afgelopen)\s+)"
    rf"(?:the\s+|el\s+|le\s+)?(?P<name>{'|'.join(_MONTHS)})(?:\s+(?:of\s+|de\s+|von\s+)?(?P<year>(?:19|20)\d\d))?\b"
    r"(?:\s+(?:dernier|passé|pasado|pasada|passado|scorsa|scorso))?",
    re.IGNORECASE,
)

_YEAR_ALONE = re.compile(
    r"(?:\b(?:in|from|during|throughout|im Jahre?|aus dem Jahre?|en|em|durante|nel|no ano(?: de)?|in het jaar|năm|в)|في)\s+"
    r"(?:the year\s+)?(?P<named>(?:19|20)\d\d)(?!\w|[-./,]\d)(?:\s+году)?"
    r"|(?<!\d)(?P<marked>(?:19|20)\d\d)\s?(?:[年년](?!\s?\d)|में)"
    r"|(?P<last>\b(?:last year|letzt(?:es|em) Jahr|im Vorjahr|l'an(?:née)? derni(?:er|ère)|(?:el )?año pasado|(?:no )?ano passado"
    r"|l'anno scorso|(?:vorig|afgelopen) jaar|в прошлом году|năm ngoái)\b|去年|昨年|작년|पिछले साल|العام الماضي)",
    re.IGNORECASE,
)
_GERMAN_YEAR = re.compile(r"(?<![\w.,/-])(?P<year>(?:19|20)\d\d)(?=\s+[a-zäöüß]|\s*[?.!]|\s*$)")
"""German needs no word before a year; a noun behind it would be what is counted."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days that a question speaks of."""

    first: date
    last: date
    words: str
    """As they stand in the question."""
    any_year: bool = False
    """Whether the words name no year, so that the same days of an earlier year may be meant."""

    def years_before(self, years: int) -> "Period":
        """The same days so many years earlier; the last of February for its 29th."""
        return Period(_earlier(self.first, years), _earlier(self.last, years), self.words, True)

    def holds(self, day: date) -> bool:
        """Whether `day` is one of them."""
        return self.first <= day <= self.last


def period_in(question: str, language: str, today: date) -> Period | None:
    """The days that `question` names in words or figures, or the year that it is about; None when it names none.

    Args:
        language: of the question, an ISO 639-1 code.
    """
    return (
        _season_in(question, today)
        or _days_in(question, language or "en", today)
        or _year_in(question, language, today)
    )


def _season_in(question: str, today: date) -> Period | None:
    found = _SEASON.search(question)
    if not found:
        return None
    month = _MONTHS[found["name"].lower()]
    # The winter of a year ends in it.
    year = int(found["year"]) - (month == 12) if found["year"] else today.year
    first = date(year, month, 1)
    if not found["year"] and first > today:
        first = first.replace(year=year - 1)
    last = date(first.year + (month == 12), (month + 2) % 12, 1)
    return Period(first, last.replace(day=calendar.monthrange(last.year, last.month)[1]), found[0])


def _days_in(question: str, language: str, today: date) -> Period | None:
    words = table(language).holds_kind("time")
    hints = words.findall(question) if words else []
    if not _NUMERIC.search(question) and not any(not hint.isdigit() for hint in hints):
        return None
    # Here, because it takes seconds to import, and few questions name a day.
    from dateparser.date import DateDataParser
    from dateparser.search import search_dates

    base = datetime.combine(today, time())
    order = {} if language == "en" else {"DATE_ORDER": "DMY"}
    settings = {"RELATIVE_BASE": base, "PREFER_DATES_FROM": "past", "RETURN_TIME_AS_PERIOD": False, **order}
    try:
        found = search_dates(question, languages=[language], settings=settings) or []
        parser = DateDataParser(languages=[language], settings=settings)
    except ValueError:  # a language that dateparser does not know
        return None
    for text, moment in found:
        length = parser.get_date_data(text).period
        has_figure = any(character.isdigit() for character in text)
        # `may` and `march` are months only behind a word such as `in`; `a second` is no day
        if length == "year" or (not has_figure and (length == "month") > bool(_BEFORE_A_MONTH.match(text))):
            continue
        if _ONE.match(text) or (has_figure and not re.search(r"[^\W\d_]|[-./年月日]", text)):
            continue
        first, last = _span(moment.date(), length)
        is_relative = not has_figure and length != "month"
        return Period(first, last, text, any_year=not is_relative and not _YEAR.search(text) and _is_past(last, today))
    return None


def _year_in(question: str, language: str, today: date) -> Period | None:
    found = _YEAR_ALONE.search(question)
    if found:
        year = today.year - 1 if found["last"] else int(found["named"] or found["marked"])
    else:
        found = _GERMAN_YEAR.search(question) if language == "de" else None
        year = int(found["year"]) if found else 0
    if not found or year > today.year:
        return None
    return Period(date(year, 1, 1), date(year, 12, 31), found[0])


def _span(day: date, length: str) -> tuple[date, date]:
    if length == "month":
        return day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])
    if length == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    return day, day


def _is_past(day: date, today: date) -> bool:
    return day <= today + timedelta(days=31)


def _earlier(day: date, years: int) -> date:
    last = calendar.monthrange(day.year - years, day.month)[1]
    return day.replace(year=day.year - years, day=min(day.day, last))
