"""A cheap look at the files of found passages: what stands in no file any more is not served.

A look at a file costs microseconds. Only a file that changed since the last sync is read again.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.content import version_of
from pipeline.content.documents import Chunk, Document, FileReport
from pipeline.settings import Visibility

Reread = Callable[[Iterable[Path]], Iterable[FileReport]]


@dataclass(slots=True)
class Freshness:
    """Looks at the files of one search's passages, at each once.

    Args:
        visibility: of the search; a document that others may no longer see is none of theirs.
        reread: reports on the files at these paths as they are now; None: what has changed is not fresh.
        cut: cuts a document into chunks, as it is indexed.
    """

    connection: sqlite3.Connection
    visibility: Visibility | None
    reread: Reread | None
    cut: Callable[[Document], list[Chunk]]
    stale: set[str] = field(default_factory=set)
    """Ids of the passages that are in no file now."""
    _now: dict[str, set[str] | None] = field(default_factory=dict)

    def is_fresh(self, id: str, document: str) -> bool:
        """Whether the passage `id` of `document` is still in the document's file."""
        if document not in self._now:
            self._now[document] = self._chunks_now(document)
        now = self._now[document]
        if now is None or id in now:
            return True
        self.stale.add(id)
        return False

    def note(self) -> str:
        """What was left out and why; "" for nothing."""
        if not self.stale:
            return ""
        return "left out what is no longer in its file: run `sitetwin index`, or wait for the sync"

    def _chunks_now(self, document: str) -> set[str] | None:
        """The ids of the document's chunks; None when its file is as it was when it was indexed."""
        row = self.connection.execute("SELECT path, modified, size FROM files WHERE id = ?", (document,)).fetchone()
        if row is None or row["modified"] is None:
            return None
        path = Path(row["path"])
        try:
            if version_of(os.lstat(path)) == (row["modified"], row["size"]):
                return None
        except FileNotFoundError:
            return set() if _holds_something(path.parents[document.count("/") - 1]) else None
        except OSError:  # as a sync does, what can't be looked at is kept
            return None
        reports = self.reread([path]) if self.reread else ()
        found = next((report.document for report in reports if report.id == document and report.document), None)
        if found is None or (self.visibility and found.visibility != self.visibility):
            return set()
        return {chunk.id for chunk in self.cut(found)}


def _holds_something(root: Path) -> bool:
    """Whether the folder of a source is there and not empty; else its disk may not be mounted."""
    try:
        with os.scandir(root) as entries:
            return next(entries, None) is not None
    except OSError:
        return False
