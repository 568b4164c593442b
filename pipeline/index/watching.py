"""Content to index, as files change: watchdog says which, sync reads them, and a look at everything settles all doubts."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from pipeline.content import read_changed
from pipeline.content.documents import FileReport
from pipeline.content.folders import SUFFIXES, TEMPLATE_SETTINGS, is_ignored
from pipeline.content.memory import ReadMemory
from pipeline.errors import SitetwinError
from pipeline.index import open_index
from pipeline.index.passages import SyncReport
from pipeline.live_settings import LiveSettings
from pipeline.settings import Settings

QUIET_SECONDS = 0.1
"""A file is read when nothing has happened to it for this long: editors write, close and rename in a burst."""
LONGEST_WAIT_SECONDS = 1.0
"""One that is written to without an end is read all the same."""
TICK_SECONDS = 0.25
"""Between two looks at what no event tells: sitetwin.toml, and whether the content folders are the same ones."""
LOOK_SECONDS = 60.0
"""Between two looks at every file when there are no events: network drives tell of none."""
LOOK_SHARE = 0.01
"""The most of the time that such looks may take."""
RETRY_SECONDS = 10.0
"""After a sync that failed, for instance because the vector store was being restarted."""
MANY_FILES = 200
"""From here on it is quicker to look at everything."""
STORM_EVENTS = 1000
"""So many in one burst may be more than the system kept: Linux drops events, and with them the news of folders, when
16,384 wait (fs.inotify.max_queued_events)."""

Identity = frozenset[tuple[Path, int, int]]
"""Content folders with their device and inode: another one after a disk was mounted or a folder made again."""


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


class Watcher:
    """Keeps the index of `settings` up to date, one `step` after the other."""

    def __init__(
        self, settings: Settings, say: Callable[[str], None], synced: Callable[[], object] = lambda: None
    ) -> None:
        self._live = LiveSettings(settings)
        self._say, self._synced = say, synced
        self._changes, self._memory = Changes(), ReadMemory()
        self._observer: BaseObserver | None = None
        self._watched: Identity | None = None
        self._trouble = ""
        self._next_look = 0.0
        self._is_first = True

    def step(self) -> None:
        """Waits a moment for changes and does what they ask for."""
        self._changes.wait(0 if self._is_first else TICK_SECONDS)
        self._follow_settings()
        if (found := _identity(self._live.now)) != self._watched:
            self._watch(found)
        if time.monotonic() >= self._next_look:
            self._changes.doubt()
            self._next_look = float("inf")
        if burst := self._changes.take():
            if burst.folders:
                self._watch(found)
            self._sync(burst)

    def close(self) -> None:
        if self._observer:
            self._observer.stop()
            self._observer.join()
            self._observer = None

    def _follow_settings(self) -> None:
        try:
            if self._live.refresh():
                self._say(
                    "sitetwin.toml changed: its content folders count from now; for the rest, restart `sitetwin up`"
                )
                self._changes.doubt()
        except SitetwinError as error:
            self._say(f"the former settings stay in force: {error}")

    def _watch(self, folders: Identity) -> None:
        """Watches all of `folders` anew, then lets go of what was watched before; everything is to be looked at.

        watchdog leaves out folders that were moved in from elsewhere and those whose news was lost, and mistakes one
        that was moved away for what has its name now.
        """
        before, self._observer = self._observer, Observer()
        roots = [path for path, _, _ in folders]
        outer = [path for path in roots if not any(path != root and path.is_relative_to(root) for root in roots)]
        self._changes.below(outer)
        self._observer.start()
        for root in outer:
            try:
                self._observer.schedule(self._changes, str(root), recursive=True)
            except OSError as error:
                self._say(
                    f"can't watch {root} ({error.strerror or error}): it is looked at every {LOOK_SECONDS:g} s; "
                    "on Linux raise fs.inotify.max_user_watches"
                )
        if before:
            before.stop()
            before.join()
        self._watched = folders
        self._changes.doubt()

    def _sync(self, burst: Burst) -> None:
        """A failure is said, once while it stays the same, and everything is tried again after a while."""
        started = time.monotonic()
        try:
            with open_index(self._live.now, self._memory) as index:
                report = index.sync(
                    changed=None if burst.everything else self._read(burst.paths), meanwhile=self._read_since
                )
        except SitetwinError as error:
            if str(error) != self._trouble:
                self._say(f"not indexed: {error}")
            self._trouble, self._next_look = str(error), time.monotonic() + RETRY_SECONDS * burst.everything
            return
        self._report(report, burst)
        if burst.everything:
            took = time.monotonic() - started
            self._next_look = time.monotonic() + max(LOOK_SECONDS, took / LOOK_SHARE)
        self._synced()

    def _report(self, report: SyncReport, burst: Burst) -> None:
        noteworthy = not report.is_quiet or (not burst.everything and report.failed)
        if self._is_first or self._trouble or noteworthy:
            self._say(report.summary())
        self._is_first, self._trouble = False, ""

    def _read(self, paths: Iterable[Path]) -> Iterable[FileReport]:
        return read_changed(self._live.now, sorted(paths))

    def _read_since(self) -> Iterable[FileReport]:
        paths = self._changes.take_files()
        return self._read(paths) if paths else ()


def watch(
    settings: Settings,
    say: Callable[[str], None],
    *,
    synced: Callable[[], object] = lambda: None,
    stop: threading.Event | None = None,
) -> None:
    """Sync now and after each burst of changes, until `stop` is set; call `synced` after each sync that succeeded."""
    stop = stop or threading.Event()
    watcher = Watcher(settings, say, synced)
    try:
        while not stop.is_set():
            watcher.step()
    finally:
        watcher.close()


def _identity(settings: Settings) -> Identity:
    found = set()
    for source in settings.content:
        try:
            folder = settings.source_path(source)
            about = folder.stat()
        except (OSError, RuntimeError):  # not there now: looked for again
            continue
        if folder.is_dir():
            found.add((folder, about.st_dev, about.st_ino))
    return frozenset(found)
