"""Which documents a search is about: a folder, tags, a range of days."""

import difflib
import json
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import NamedTuple

from pipeline.errors import SitetwinError
from pipeline.settings import Visibility


@dataclass(frozen=True, slots=True)
class Filters:
    """A document passes if it satisfies every filter that is given. Without any filter, every document passes."""

    folder: str = ""
    """Whole names at the start of the document's id: `blog/2019/lamp.md` is in `blog` and `blog/2019`, not in `blo`."""
    tags: tuple[str, ...] = ()
    """The document must have all of them. Case does not matter. `project` also matches `project/garden`."""
    after: date | None = None
    """The first day that passes. A document without a date does not pass."""
    before: date | None = None
    """The last day that passes. A document without a date does not pass."""

    def __bool__(self) -> bool:
        return self != Filters()

    def describe(self) -> str:
        """One line for a person, e.g. `folder blog, tag project, from 2019-01-01`."""
        parts = [f"folder {self.folder}"] if self.folder else []
        parts += [f"tag {tag}" for tag in self.tags]
        parts += [f"from {self.after}"] if self.after else []
        parts += [f"to {self.before}"] if self.before else []
        return ", ".join(parts)


class Condition(NamedTuple):
    """An SQL expression over the columns of `documents`, and the values of its question marks."""

    sql: str
    values: tuple[str | float, ...]


def parse_day(text: str) -> date | None:
    """The day that `text` (such as `2024-03-31`) names, or None if it is empty.

    Raises:
        SitetwinError: `text` is no day.
    """
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise SitetwinError(f"{text.strip()!r} is no date: write year, month and day, as in 2024-03-31") from None


def condition(connection: sqlite3.Connection, filters: Filters, visibility: Visibility | None) -> Condition:
    """The SQL condition for documents that may be seen and pass `filters`. `visibility` None: public and private."""
    parts = [Condition("visibility = ?", (visibility,))] if visibility else []
    if visibility == "public":  # what has expired since the last sync is no visitor's any more
        parts.append(Condition("(changes_at IS NULL OR changes_at > ?)", (time.time(),)))
    if folder := _names(filters.folder):
        # every id that begins with `folder/`; "0" is the character after "/"
        parts.append(Condition("documents.id >= ? AND documents.id < ?", (f"{folder}/", f"{folder}0")))
    if filters.tags:
        parts.append(_tagged(connection, filters.tags))
    if filters.after:
        parts.append(Condition("date >= ?", (filters.after.isoformat(),)))
    if filters.before:
        parts.append(Condition("date <= ?", (filters.before.isoformat(),)))
    return Condition(
        " AND ".join(part.sql for part in parts) or "TRUE", tuple(v for part in parts for v in part.values)
    )


def explain_none(connection: sqlite3.Connection, filters: Filters, visibility: Visibility | None) -> str:
    """Says why no document passes `filters`, and names the nearest folder or tag; empty if some document passes."""
    if _any(connection, filters, visibility):
        return ""
    folder = Filters(folder=filters.folder)
    if folder and not _any(connection, folder, visibility):
        return f"no document is in the folder {filters.folder}" + _nearest(
            filters.folder, _folders(connection, visibility)
        )
    for tag in filters.tags:
        if not _any(connection, Filters(tags=(tag,)), visibility):
            return f"no document has the tag {tag}" + _nearest(tag, _tags(connection, visibility))
    days = Filters(after=filters.after, before=filters.before)
    if days and not _any(connection, days, visibility):
        return f"no document has a date {days.describe()}: give a wider range"
    return f"no document has all of {filters.describe()}: leave one out"


def _any(connection: sqlite3.Connection, filters: Filters, visibility: Visibility | None) -> bool:
    only = condition(connection, filters, visibility)
    return connection.execute(f"SELECT 1 FROM documents WHERE {only.sql} LIMIT 1", only.values).fetchone() is not None


def _tagged(connection: sqlite3.Connection, wanted: Iterable[str]) -> Condition:
    # Python decides, once for each set of tags that occurs: SQLite ignores case in ASCII only.
    folded = [_names(tag.lstrip("#")).casefold() for tag in wanted]
    sets = [row["tags"] for row in connection.execute("SELECT DISTINCT tags FROM documents WHERE tags != '[]'")]
    passing = [tags for tags in sets if all(_has(tags, tag) for tag in folded)]
    return Condition("tags IN (SELECT value FROM json_each(?))", (json.dumps(passing),))


def _has(tags: str, wanted: str) -> bool:
    return any(f"{tag.casefold()}/".startswith(f"{wanted}/") for tag in json.loads(tags))


def _names(path: str) -> str:
    """`path` without spaces, `./` and slashes at its ends."""
    return path.strip().removeprefix("./").strip("/")


def _folders(connection: sqlite3.Connection, visibility: Visibility | None) -> set[str]:
    only = condition(connection, Filters(), visibility)
    rows = connection.execute(f"SELECT id FROM documents WHERE {only.sql}", only.values)
    return {str(folder) for row in rows for folder in PurePosixPath(row["id"]).parents} - {"."}


def _tags(connection: sqlite3.Connection, visibility: Visibility | None) -> set[str]:
    only = condition(connection, Filters(), visibility)
    rows = connection.execute(f"SELECT DISTINCT tags FROM documents WHERE {only.sql}", only.values)
    return {tag for row in rows for tag in json.loads(row["tags"])}


def _nearest(wanted: str, known: Iterable[str]) -> str:
    """The end of a sentence that names the known name nearest to `wanted`.

    That is the shortest name that ends with `wanted`, or one with a similar spelling.
    """
    wanted = _names(wanted.lstrip("#")).casefold()
    names = {name.casefold(): name for name in sorted(known)}
    longer = [name for name in names if name.endswith(f"/{wanted}")]
    near = sorted(longer, key=len) or difflib.get_close_matches(wanted, names, 1, 0.5)
    if not near and names:
        return f": there are {', '.join(sorted(names.values())[:5])}{' and more' if len(names) > 5 else ''}"
    return f": the nearest is {names[near[0]]}" if near else ": there are none"
