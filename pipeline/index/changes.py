"""What the file system tells of content, collected until each file is quiet."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler

from pipeline.content.folders import SUFFIXES, TEMPLATE_SETTINGS, is_ignored

QUIET_SECONDS = 0.1
"""A file is read when nothing has happened to it for this long: editors write, close and rename in a burst."""
LONGEST_WAIT_SECONDS = 1.0
"""One that is written to without an end is read all the same."""
MANY_FILES = 200
"""From here on it is quicker to look at everything."""
STORM_EVENTS = 1000
"""So many in one burst may be more than the system kept: Linux drops events, and with them the news of folders, when
16,384 wait (fs.inotify.max_queued_events)."""


@dataclass(frozen=True, slots=True)
class Burst:
    """What is to be done now."""

    paths: frozenset[Path]
    """Files that may have changed."""
    everything: bool = False
    folders: bool = False
    """Folders may be there that are not watched: those moved here from elsewhere, or made in a storm."""


class Changes(FileSystemEventHandler):
    """Collects events, each file's until it is quiet; any thread may use it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._roots: tuple[Path, ...] = ()
        self._times: dict[Path | None, tuple[float, float]] = {}
        """First and last event of each file; of None: of what only a look at everything can settle."""
        self._events = 0
        self._folders = False

    def below(self, roots: Iterable[Path]) -> None:
        """Only what happens below `roots` counts."""
        self._roots = tuple(roots)

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in ("opened", "closed_no_write"):
            return
        paths = [Path(os.fsdecode(path)) for path in (event.src_path, event.dest_path) if path]
        paths = [path for path in paths if self._counts(path)]
        with self._changed:
            self._events += 1
            if self._events >= STORM_EVENTS:
                self._folders = True
                self._note(None)
            if event.is_directory:
                # "modified" only repeats what is told of the files in it
                if paths and event.event_type != "modified":
                    self._folders = True
                    self._note(None)
                return
            for path in paths:
                if _is_template_setting(path):
                    self._note(None)
                elif path.suffix.lower() in SUFFIXES:
                    self._note(path)

    def doubt(self) -> None:
        """Everything is to be looked at."""
        with self._changed:
            self._note(None)

    def wait(self, seconds: float) -> None:
        """Until something is due, but no longer than `seconds`."""
        with self._changed:
            if not self._times:
                self._changed.wait(seconds)
            due = min((self._due(*times) for times in self._times.values()), default=float("inf")) - self._clock()
            if 0 < due < float("inf"):
                self._changed.wait_for(lambda: False, min(due, seconds))

    def take(self) -> Burst | None:
        """What is due, which is forgotten here; None for nothing."""
        with self._changed:
            now = self._clock()
            due = {path for path, times in self._times.items() if self._due(*times) <= now}
            if None not in due and len(due) <= MANY_FILES:
                return self._taken(due) if due else None
            folders, self._folders, self._events = self._folders, False, 0
            self._times.clear()
            return Burst(frozenset(), everything=True, folders=folders)

    def take_files(self) -> frozenset[Path]:
        """The files that are due, when a look at everything goes on already."""
        with self._changed:
            now = self._clock()
            due = {path for path, times in self._times.items() if path and self._due(*times) <= now}
            return self._taken(due).paths if due else frozenset()

    def _taken(self, due: Set[Path | None]) -> Burst:
        for path in due:
            del self._times[path]
        if not self._times:
            self._events = 0
        return Burst(frozenset(path for path in due if path))

    def _note(self, path: Path | None) -> None:
        now = self._clock()
        first, _ = self._times.get(path, (now, now))
        self._times[path] = first, now
        self._changed.notify_all()

    def _due(self, first: float, last: float) -> float:
        return min(last + QUIET_SECONDS, first + LONGEST_WAIT_SECONDS)

    def _counts(self, path: Path) -> bool:
        """Whether it is, or is in, what is read: no editor's or tool's own file, but Obsidian's settings of templates."""
        root = next((root for root in self._roots if path.is_relative_to(root)), None)
        if root is None:
            return False
        parts = path.relative_to(root).parts
        return _is_template_setting(path) or not any(map(is_ignored, parts))


def _is_template_setting(path: Path) -> bool:
    return path.name in TEMPLATE_SETTINGS and ".obsidian" in path.parts
