"""Content to index, as files change: watchdog says that something happened, sync finds out what."""

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from pipeline.content.memory import ReadMemory
from pipeline.content.sources import SUFFIXES
from pipeline.errors import SitetwinError
from pipeline.index import open_index
from pipeline.settings import Settings

QUIET_SECONDS = 0.2
"""A burst of changes (an editor's write and rename, a checkout) is over when nothing happened for this long."""
LONGEST_WAIT_SECONDS = 2.0
"""A burst without an end is indexed all the same."""
RETRY_SECONDS = 10.0
"""After a sync that failed, for instance because the vector store was being restarted."""


class Changes(FileSystemEventHandler):
    """Sets an event whenever a file that could be content, or a folder, changes."""

    def __init__(self) -> None:
        self.happened = threading.Event()

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in ("opened", "closed_no_write"):
            return
        paths = (Path(str(event.src_path)), Path(str(event.dest_path or event.src_path)))
        if event.is_directory or any(path.suffix.lower() in SUFFIXES for path in paths):
            self.happened.set()


def watch(
    settings: Settings,
    say: Callable[[str], None],
    *,
    synced: Callable[[], object] = lambda: None,
    stop: threading.Event | None = None,
) -> None:
    """Sync now and after each burst of changes, until `stop` is set; call `synced` after each sync that succeeded.

    Raises:
        SitetwinError: a content folder can't be watched.
    """
    stop = stop or threading.Event()
    changes, memory = Changes(), ReadMemory()
    observer = Observer()
    for folder in _folders(settings):
        try:
            observer.schedule(changes, str(folder), recursive=True)
        except OSError as error:
            raise SitetwinError(
                f"can't watch {folder} ({error.strerror}): check that it exists; on Linux raise fs.inotify.max_user_watches"
            ) from None
    observer.start()
    try:
        changes.happened.set()
        while not stop.is_set():
            if not changes.happened.wait(timeout=0.5):
                continue
            _wait_until_quiet(changes.happened, stop)
            if _sync_once(settings, memory, say):
                synced()
            else:
                changes.happened.set()
                stop.wait(RETRY_SECONDS)
    finally:
        observer.stop()
        observer.join()


def _folders(settings: Settings) -> Iterable[Path]:
    return [folder for source in settings.content if (folder := settings.source_path(source)).is_dir()]


def _wait_until_quiet(happened: threading.Event, stop: threading.Event) -> None:
    for _ in range(round(LONGEST_WAIT_SECONDS / QUIET_SECONDS)):
        happened.clear()
        if stop.wait(QUIET_SECONDS) or not happened.is_set():
            break
    happened.clear()


def _sync_once(settings: Settings, memory: ReadMemory, say: Callable[[str], None]) -> bool:
    """Whether the index is up to date now; a failure is said, and tried again by the caller."""
    try:
        with open_index(settings, memory) as index:
            say(index.sync().summary())
    except SitetwinError as error:
        say(f"not indexed: {error}")
        return False
    return True
