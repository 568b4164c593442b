import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.index import open_index
from pipeline.index.watching import watch
from pipeline.settings import ContentSource, RetrievalSettings, Settings


class Syncs:
    """Lets a test wait until a condition holds after some sync."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def __call__(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def wait_until(self, holds: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(holds, timeout=60)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Settings, Path, Syncs]]:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "first.md").write_text("# First\n\nA heron stood there.\n", encoding="utf-8")
    settings = Settings(
        root=tmp_path,
        content=[ContentSource(path=Path("notes"), visibility="public")],
        retrieval=RetrievalSettings(mode="keyword"),
    )
    stop, syncs = threading.Event(), Syncs()
    thread = threading.Thread(target=watch, args=(settings, lambda text: None), kwargs={"synced": syncs, "stop": stop})
    thread.start()
    try:
        syncs.wait_until(lambda: found(settings, "heron") == ["first"])
        yield settings, notes, syncs
    finally:
        stop.set()
        thread.join(timeout=30)
    assert not thread.is_alive()


def found(settings: Settings, word: str) -> list[str]:
    if not (settings.state / "index.db").exists():
        return []
    with open_index(settings) as index:
        return sorted(Path(passage.document).stem for passage in index.search(word).passages)


def test_created_edited_renamed_deleted(watched: tuple[Settings, Path, Syncs]) -> None:
    settings, notes, syncs = watched
    (notes / "second.md").write_text("# Second\n\nA kingfisher flew.\n", encoding="utf-8")
    syncs.wait_until(lambda: found(settings, "kingfisher") == ["second"])
    (notes / "second.md").write_text("# Second\n\nAn ibis flew.\n", encoding="utf-8")
    syncs.wait_until(lambda: found(settings, "ibis") == ["second"] and found(settings, "kingfisher") == [])
    (notes / "second.md").rename(notes / "third.md")
    syncs.wait_until(lambda: found(settings, "ibis") == ["third"])
    (notes / "third.md").unlink()
    syncs.wait_until(lambda: found(settings, "ibis") == [])


def test_an_atomic_save_and_a_new_folder(watched: tuple[Settings, Path, Syncs]) -> None:
    settings, notes, syncs = watched
    draft = notes / ".first.md.tmp"
    draft.write_text("# First\n\nA bittern stood there.\n", encoding="utf-8")
    draft.replace(notes / "first.md")
    syncs.wait_until(lambda: found(settings, "bittern") == ["first"])
    (notes / "below").mkdir()
    (notes / "below" / "deep.md").write_text("# Deep\n\nAn osprey dived.\n", encoding="utf-8")
    syncs.wait_until(lambda: found(settings, "osprey") == ["deep"])
    shutil.rmtree(notes / "below")
    syncs.wait_until(lambda: found(settings, "osprey") == [])
