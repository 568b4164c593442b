"""When a document is out: from the day that its front matter or its path names, until the day on which it expires."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from pipeline.content.frontmatter import as_date, lookup, path_date

# The first that is there decides: Hugo shows a page of a later `date` (an event) whose `publishDate` has come.
_OUT_FROM = ("publishdate", "pubdate", "pubdatetime", "publishedat", "published", "date")
_OUT_UNTIL = ("expirydate", "unpublishdate", "expires", "expirationdate")
_ZONE = re.compile(r"\s+([+-]\d\d):?(\d\d)$")


@dataclass(frozen=True, slots=True)
class Period:
    """From when until when a document is out; None: always, and for ever."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether the document is out."""
        return (self.start is None or self.start <= now) and (self.end is None or now < self.end)

    def next_change(self, now: datetime) -> datetime | None:
        """The next moment at which `holds` changes; None: never."""
        return min((moment for moment in (self.start, self.end) if moment and moment > now), default=None)


def period_of(values: Mapping[str, Any], path: str, now: datetime) -> Period:
    """What the front matter `values`, else the date in `path`, say. A moment without a time zone is in that of `now`."""
    starts = [moment for key in _OUT_FROM if (moment := _moment(lookup(values, key), now))]
    ends = [moment for key in _OUT_UNTIL if (moment := _moment(lookup(values, key), now))]
    start = starts[0] if starts else _moment(path_date(path), now)
    return Period(start, min(ends, default=None))


def _moment(value: object, now: datetime) -> datetime | None:
    """`value` as a moment: a day begins at midnight; None when it is no date."""
    if isinstance(value, str) and len(value.strip()) > len("2024-01-05"):
        with suppress(ValueError):  # a day in words, or with words behind it
            value = datetime.fromisoformat(_ZONE.sub(r"\1:\2", value.strip().replace("/", "-")))
    day = value if isinstance(value, date) else as_date(value)
    if day is None:
        return None
    moment = day if isinstance(day, datetime) else datetime.combine(day, time())
    return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
