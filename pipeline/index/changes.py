"""Collects what the file system tells about content, until each file is quiet."""

import os
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler

from pipeline.content.folders import SUFFIXES, is_ignored
from pipeline.content.kinds.eleventy_data import is_data
from pipeline.content.kinds.obsidian import TEMPLATE_SETTINGS

QUIET_SECONDS = 0.1
"""A file is read after it was quiet for this long, because editors write, close and rename in a burst."""
LONGEST_WAIT_SECONDS = 1.0
"""A file that never becomes quiet is read after this long."""
MANY_FILES = 200
"""If more files than this have changed, it is quicker to look at everything."""
STORM_EVENTS = 1000
"""After this many events in one burst, some may be lost. Linux drops events, also those that tell of new folders, when
16,384 are waiting (fs.inotify.max_queued_events)."""


@dataclass(frozen=True, slots=True)
class Burst:
    """The changes that are due now."""

    paths: frozenset[Path]
    """Files that may have changed."""
    everything: bool = False
    """Whether every file is to be looked at."""
    folders: bool = False
    """Whether there may be folders that are not watched yet: moved here from elsewhere, or made in a storm."""


class Changes(FileSystemEventHandler):
    """Collects events, each file's until it is quiet; any thread may use it."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        is_same: Callable[[str, str], bool] = os.path.samefile,
    ) -> None:
        self._clock = clock
        self._is_same = is_same
        self._changed = threading.Condition()
        self._roots: tuple[Path, ...] = ()
        self._times: dict[Path | None, tuple[float, float]] = {}
        """When the first and the last event of each file came. None stands for a look at everything."""
        self._events = 0
        self._folders = False

    def below(self, roots: Iterable[Path]) -> None:
        """Ignores all events outside of `roots`."""
        self._roots = tuple(roots)

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Notes the file, or a look at everything, that the event asks for. watchdog calls it."""
        if event.event_type in ("opened", "closed_no_write"):
            return
        told = [Path(os.fsdecode(path)) for path in (event.src_path, event.dest_path) if path]
        paths = [path for path in map(self._as_named, told) if path and self._counts(path)]
        with self._changed:
            self._events += 1
            if self._events >= STORM_EVENTS:
                self._folders = True
                self._note(None)
            if event.is_directory:
                # the event "modified" of a folder only repeats those of its files
                if paths and event.event_type != "modified":
                    self._folders = True
                    self._note(None)
                return
            for path in paths:
                if _is_template_setting(path):
                    self._note(None)
                elif path.suffix.lower() in SUFFIXES or is_data(path.name):
                    self._note(path)

    def doubt(self) -> None:
        """Asks for a look at everything."""
        with self._changed:
            self._note(None)

    def wait(self, seconds: float) -> None:
        """Waits until something is due, but no longer than `seconds`."""
        with self._changed:
            if not self._times:
                self._changed.wait(seconds)
            due = min((self._due(*times) for times in self._times.values()), default=float("inf")) - self._clock()
            if 0 < due < float("inf"):
                self._changed.wait_for(lambda: False, min(due, seconds))

    def take(self) -> Burst | None:
        """Returns what is due and forgets it; None if nothing is due."""
        with self._changed:
            now = self._clock()
            due = {path for path, times in self._times.items() if self._due(*times) <= now}
            if None not in due and len(due) <= MANY_FILES:
                return self._taken(due) if due else None
            folders, self._folders, self._events = self._folders, False, 0
            self._times.clear()
            return Burst(frozenset(), everything=True, folders=folders)

    def take_files(self) -> frozenset[Path]:
        """Returns the files that are due and forgets them. For use during a look at everything."""
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

    def _as_named(self, path: Path) -> Path | None:
        """`path`, spelt as the root that it is in; None if it is in no root.

        A Mac spells a root as its disk does: in other upper and lower case, or composed (NFC) where the settings have
        decomposed letters (NFD).
        """
        for root in self._roots:
            if path.is_relative_to(root):
                return path
            parts = path.parts[: len(root.parts)]
            if _folded(Path(*parts)) == _folded(root) and self._is_one_folder(Path(*parts), root):
                return root.joinpath(*path.parts[len(root.parts) :])
        return None

    def _is_one_folder(self, told: Path, root: Path) -> bool:
        try:
            return self._is_same(str(told), str(root))
        except OSError:  # one of the two is gone, so they are not the same folder
            return False

    def _counts(self, path: Path) -> bool:
        """Whether `path` matters: not the files of editors and tools, except Obsidian's template settings."""
        root = next(root for root in self._roots if path.is_relative_to(root))
        parts = path.relative_to(root).parts
        return _is_template_setting(path) or not any(map(is_ignored, parts))


def _folded(path: Path) -> str:
    return unicodedata.normalize("NFC", str(path)).casefold()


def _is_template_setting(path: Path) -> bool:
    return path.name in TEMPLATE_SETTINGS and ".obsidian" in path.parts
