"""Keeps the index up to date while files change: watchdog names the files, and a sync reads them.

A look at everything settles all doubts.
"""

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from pipeline.content import read_changed, with_governed
from pipeline.content.documents import FileReport
from pipeline.content.folders import configurations
from pipeline.content.memory import ReadMemory
from pipeline.errors import SitetwinError
from pipeline.index import Index
from pipeline.index.changes import Burst, Changes
from pipeline.index.passages import SyncReport
from pipeline.live_settings import LiveSettings
from pipeline.settings import Settings

TICK_SECONDS = 0.25
"""The pause between two checks of what no event tells: sitetwin.toml, and which content folders there are."""
LOOK_SECONDS = 60.0
"""The pause between two looks at every file without any event, because network drives send no events."""
LOOK_SHARE = 0.01
"""The largest share of the time that such looks may take."""
RETRY_SECONDS = 10.0
"""The pause after a sync that failed, for instance because the vector store was being restarted."""

Identity = frozenset[tuple[Path, int, int]]
"""The content folders with their device and inode. It changes if a disk is mounted or a folder is made again."""


class Watcher:
    """Keeps the index up to date, one `step` after the other. `open_index` opens it with the current settings."""

    def __init__(
        self,
        settings: Settings,
        open_index: Callable[[Settings, ReadMemory], Index],
        say: Callable[[str], None],
        synced: Callable[[], object] = lambda: None,
        new_observer: Callable[[], BaseObserver] = Observer,
    ) -> None:
        self._live, self._new_observer, self._open_index = LiveSettings(settings), new_observer, open_index
        self._say, self._synced = say, synced
        self._changes, self._memory = Changes(), ReadMemory()
        self._observer: BaseObserver | None = None
        self._watched: Identity | None = None
        self._configurations = configurations(settings)
        self._trouble = ""
        self._next_look = 0.0
        self._is_first = True

    def step(self) -> None:
        """Waits a moment for changes and brings the index up to date with them."""
        self._changes.wait(0 if self._is_first else TICK_SECONDS)
        self._follow_settings()
        if (found := _identity(self._live.now)) != self._watched:
            self._watch(found)
        if (now := configurations(self._live.now)) != self._configurations:
            self._configurations = now
            self._changes.doubt()
        if time.monotonic() >= self._next_look:
            self._changes.doubt()
            self._next_look = float("inf")
        if burst := self._changes.take():
            if burst.folders:
                self._watch(found)
            self._sync(burst)

    def close(self) -> None:
        """Stops watching."""
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
        """Stops watching, then watches all of `folders` anew and asks for a look at everything.

        The order matters. A Mac gives a process one stream of events for each path, so closing the old stream later
        would end the new one. The look finds what happens in between. Watching anew is needed because watchdog does not
        watch a folder that was moved in or whose event was lost, and takes a folder that was moved away for the one
        that has its name now.
        """
        self.close()
        self._observer = self._new_observer()
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
        self._watched = folders
        self._changes.doubt()

    def _sync(self, burst: Burst) -> None:
        """Syncs. Says a failure once while it stays the same, and tries everything again after a pause."""
        started = time.monotonic()
        try:
            with self._open_index(self._live.now, self._memory) as index:
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
        changed = frozenset(paths)
        due = with_governed(self._live.now, changed) | set(self._memory.taking_in(changed))
        return read_changed(self._live.now, sorted(due))

    def _read_since(self) -> Iterable[FileReport]:
        paths = self._changes.take_files()
        return self._read(paths) if paths else ()


def watch(
    settings: Settings,
    open_index: Callable[[Settings, ReadMemory], Index],
    say: Callable[[str], None],
    *,
    synced: Callable[[], object] = lambda: None,
    stop: threading.Event | None = None,
    new_observer: Callable[[], BaseObserver] = Observer,
) -> None:
    """Syncs now and after each burst of changes, until `stop` is set.

    Args:
        open_index: opens the index with the current settings.
        say: shows a line to a person.
        synced: called after each sync that succeeded.
        new_observer: makes what tells of changes.
    """
    stop = stop or threading.Event()
    watcher = Watcher(settings, open_index, say, synced, new_observer)
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
