"""What files held when they were last read, so that reading thousands again costs a look at each and no parsing."""

import os
import time
from collections.abc import Iterator, Set
from pathlib import Path

from pipeline.content.documents import FileReport
from pipeline.content.including import version_at
from pipeline.content.kinds.kind import Inherited
from pipeline.settings import ContentSource

SETTLED_SECONDS = 3.0
"""A file that changed this short a time before it was read is not remembered: it could change once more within one step
of its file system's clock (FAT's is two seconds) and look the same."""

Signature = tuple[int, ...]
Rules = tuple[ContentSource, Inherited]
"""What decides on a document beside its file."""


class ReadMemory:
    """The reports of the last pass over the sources, for one thread. What a pass does not meet is forgotten by the next."""

    def __init__(self) -> None:
        self._before: dict[tuple[str, Path], tuple[Signature, Rules, FileReport]] = {}
        self._now = self._before

    def begin(self) -> None:
        """A new pass over all sources begins."""
        self._before, self._now = self._now, {}

    def recall(self, id: str, path: Path, rules: Rules, found: os.stat_result) -> FileReport | None:
        """The report of this file, if neither it nor its `rules` have changed since it was kept, nor who may see it by the date."""
        known = self._before.get((id, path))
        if known is None or known[:2] != (_signature(found), rules) or _is_due(known[2]):
            return None
        if any(version_at(part) != version for part, version in known[2].takes_in):
            return None
        self._now[id, path] = known
        return known[2]

    def taking_in(self, paths: Set[Path]) -> Iterator[Path]:
        """The files whose documents hold the text of one of `paths`, or would if it were there."""
        for _, _, report in self._now.values():
            if any(part in paths for part, _ in report.takes_in):
                yield report.path

    def keep(self, report: FileReport, rules: Rules, found: os.stat_result) -> None:
        """Remembers `report`. `found`: of before the file was read, so that a change meanwhile shows later."""
        if time.time() - max(found.st_mtime, found.st_ctime) > SETTLED_SECONDS:
            self._now[report.id, report.path] = _signature(found), rules, report


def _is_due(report: FileReport) -> bool:
    """Whether a day has come that changes who may see the document."""
    changes_at = report.document.changes_at if report.document else None
    return changes_at is not None and changes_at.timestamp() <= time.time()


def _signature(found: os.stat_result) -> Signature:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
