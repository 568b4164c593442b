import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from pipeline.content.memory import ReadMemory
from pipeline.index import Index
from pipeline.index.watching import watch
from pipeline.settings import Settings, load_settings
from pipeline.site import Site

FIRST = "# First\n\nA heron stood there.\n"
SETTINGS = '[[content]]\npath = "notes"\nvisibility = "public"\n{}\n[retrieval]\nmode = "keyword"\n'


def open_index(settings: Settings, memory: ReadMemory) -> Index:
    return Site(settings).index(memory)


class OneStream(Observer):  # type: ignore[misc,valid-type]
    """As on a Mac, where FSEvents gives a process one stream for a path, and closing it closes it for all."""

    open_paths: ClassVar[set[str]] = set()

    def schedule(self, event_handler: FileSystemEventHandler, path: str, **options: Any) -> ObservedWatch:
        assert path not in self.open_paths, f"{path} is already scheduled"
        self.open_paths.add(path)
        return super().schedule(event_handler, path, **options)

    def on_thread_stop(self) -> None:
        super().on_thread_stop()
        self.open_paths.clear()


class Watched:
    """A vault in a folder with an awkward name, and a watcher in a thread."""

    def __init__(self, root: Path) -> None:
        self.root = root / "my vaült 📝"
        self.notes = self.root / "notes"
        self.outside = root / "outside"
        self.outside.mkdir(parents=True)
        self.notes.mkdir(parents=True)
        self.configure()
        self.settings = load_settings(self.root / "sitetwin.toml")
        self.said: list[str] = []
        self.new_observer: type[BaseObserver] = Observer
        self.seen: set[str] = set()
        self._changed = threading.Condition()

    def configure(self, more: str = "") -> None:
        draft = self.root / "draft"
        draft.write_text(SETTINGS.format(more), encoding="utf-8")
        draft.replace(self.root / "sitetwin.toml")

    def start(self) -> None:
        self._stop = threading.Event()
        options = {"synced": self._synced, "stop": self._stop, "new_observer": self.new_observer}
        self._thread = threading.Thread(target=watch, args=(self.settings, open_index, self._say), kwargs=options)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=30)
        assert not self._thread.is_alive()

    def wait_until(self, holds: Callable[[], bool], seconds: float = 60) -> None:
        with self._changed:
            assert self._changed.wait_for(holds, timeout=seconds)

    def write(self, name: str, text: str) -> Path:
        path = self.notes / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def found(self, word: str, visibility: str | None = None) -> list[str]:
        if not (self.settings.state / "index.db").exists():
            return []
        with Site(self.settings).index() as index:
            passages = index.search(word, 50, visibility=visibility).passages  # type: ignore[arg-type]
        return sorted(passage.document.removeprefix("notes/") for passage in passages)

    def states(self) -> dict[str, str]:
        with Site(self.settings).index() as index:
            return {file.path.removeprefix(f"{self.notes}/"): file.state for file in index.status()[1]}

    def _say(self, text: str) -> None:
        with self._changed:
            self.said.append(text)
            self._changed.notify_all()

    def _synced(self) -> None:
        with self._changed:
            self.seen |= self.states().keys()
            self._changed.notify_all()


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Watched]:
    vault = Watched(tmp_path)
    vault.write("first.md", FIRST)
    vault.start()
    try:
        vault.wait_until(lambda: vault.found("heron") == ["first.md"])
        yield vault
    finally:
        vault.stop()


def test_created_edited_renamed_deleted(vault: Watched) -> None:
    second = vault.write("second.md", "# Second\n\nA kingfisher flew.\n")
    vault.wait_until(lambda: vault.found("kingfisher") == ["second.md"])
    vault.write("second.md", "# Second\n\nAn ibis flew.\n")
    vault.wait_until(lambda: vault.found("ibis") == ["second.md"] and vault.found("kingfisher") == [])
    second.rename(vault.notes / "third.md")
    vault.wait_until(lambda: vault.found("ibis") == ["third.md"])
    (vault.notes / "third.md").rename(vault.notes / "Third.md")
    vault.wait_until(lambda: vault.found("ibis") == ["Third.md"])
    (vault.notes / "Third.md").unlink()
    vault.wait_until(lambda: vault.found("ibis") == [] and list(vault.states()) == ["first.md"])


def test_files_and_folders_that_move(vault: Watched) -> None:
    """Also into the vault, where watchdog alone would see nothing of what happens in them later."""
    vault.write("a/deep/note.md", "# Deep\n\nAn osprey dived.\n")
    vault.wait_until(lambda: vault.found("osprey") == ["a/deep/note.md"])
    (vault.notes / "a").rename(vault.notes / "b")
    vault.wait_until(lambda: vault.found("osprey") == ["b/deep/note.md"])
    vault.write("b/deep/note.md", "# Deep\n\nAn egret waded.\n")
    vault.wait_until(lambda: vault.found("egret") == ["b/deep/note.md"] and vault.found("osprey") == [])
    (vault.notes / "b/deep/note.md").rename(vault.notes / "note.md")
    vault.wait_until(lambda: vault.found("egret") == ["note.md"])
    (vault.outside / "in/deep").mkdir(parents=True)
    (vault.outside / "in/deep/far.md").write_text("# Far\n\nA plover ran.\n", encoding="utf-8")
    (vault.outside / "in").rename(vault.notes / "in")
    vault.wait_until(lambda: vault.found("plover") == ["in/deep/far.md"])
    vault.write("in/deep/far.md", "# Far\n\nA dunlin ran.\n")
    vault.wait_until(lambda: vault.found("dunlin") == ["in/deep/far.md"])
    (vault.notes / "in").rename(vault.outside / "in")
    vault.wait_until(lambda: vault.found("dunlin") == [])
    vault.write("in/new.md", "# New\n\nA stilt stood.\n")
    vault.wait_until(lambda: vault.found("stilt") == ["in/new.md"])
    shutil.rmtree(vault.notes / "in")
    shutil.rmtree(vault.outside / "in")  # the system tells of it by the name that it had in the vault
    vault.wait_until(lambda: vault.found("stilt") == [])
    vault.write("first.md", "# First\n\nA bittern stood there.\n")
    vault.wait_until(lambda: vault.found("bittern") == ["first.md"])


def test_where_a_path_can_be_watched_but_once(tmp_path: Path) -> None:
    """A note that is hidden in a new folder is hidden at once."""
    vault = Watched(tmp_path)
    vault.new_observer = OneStream
    vault.write("first.md", FIRST)
    vault.start()
    try:
        vault.wait_until(lambda: vault.found("heron") == ["first.md"])
        for name, word in (("a", "osprey"), ("b", "egret")):
            vault.write(f"{name}/note.md", f"# Deep\n\nAn {word} dived.\n")
            vault.wait_until(lambda name=name, word=word: vault.found(word, "public") == [f"{name}/note.md"])  # type: ignore[misc]
            vault.write(f"{name}/note.md", f"---\nprivate: true\n---\n# Deep\n\nAn {word} dived.\n")
            vault.wait_until(lambda word=word: vault.found(word, "public") == [])  # type: ignore[misc]
    finally:
        vault.stop()
    assert not OneStream.open_paths


def _vim(note: Path, text: str) -> None:
    (note.parent / "4913").touch()
    (note.parent / "4913").unlink()
    swap = note.with_name(f".{note.name}.swp")
    swap.write_text(text, encoding="utf-8")
    backup = note.with_name(f"{note.name}~")
    note.rename(backup)
    note.write_text(text, encoding="utf-8")
    backup.unlink()
    swap.unlink()


def _emacs(note: Path, text: str) -> None:
    lock = note.with_name(f".#{note.name}")
    lock.symlink_to("me@here.1234")
    own = note.with_name(f"#{note.name}#")
    own.write_text(text, encoding="utf-8")
    shutil.copy(note, note.with_name(f"{note.name}~"))
    note.write_text(text, encoding="utf-8")
    own.unlink()
    lock.unlink()


def _jetbrains(note: Path, text: str) -> None:
    new, old = note.with_name(f"{note.name}___jb_tmp___"), note.with_name(f"{note.name}___jb_old___")
    new.write_text(text, encoding="utf-8")
    note.rename(old)
    new.rename(note)
    old.unlink()


def _rename_over(note: Path, text: str) -> None:
    draft = note.with_name(f".{note.name}.tmp")
    draft.write_text(text, encoding="utf-8")
    draft.replace(note)


def _in_place(note: Path, text: str) -> None:
    with note.open("r+", encoding="utf-8") as file:
        file.truncate(0)
        for line in text.splitlines(keepends=True):
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def _office(note: Path, text: str) -> None:
    lock, owner = note.with_name(f".~lock.{note.name}#"), note.with_name(f"~${note.name}")
    lock.touch()
    owner.touch()
    note.write_text(text, encoding="utf-8")
    owner.unlink()
    lock.unlink()


def test_as_editors_save(vault: Watched) -> None:
    for number, save in enumerate((_vim, _emacs, _jetbrains, _rename_over, _in_place, _office)):
        word = f"heron{number}x"
        save(vault.notes / "first.md", f"# First\n\nA {word} stood there.\n")
        vault.wait_until(lambda word=word: vault.found(word) == ["first.md"])  # type: ignore[misc]
    assert vault.seen == {"first.md"}


def test_edits_made_while_nothing_ran(vault: Watched) -> None:
    vault.write("second.md", "# Second\n\nA kingfisher flew.\n")
    vault.wait_until(lambda: vault.found("kingfisher") == ["second.md"])
    vault.stop()
    (vault.notes / "second.md").unlink()
    vault.write("first.md", "# First\n\nA bittern stood there.\n")
    vault.write("new/third.md", "# Third\n\nAn ibis flew.\n")
    vault.start()
    vault.wait_until(lambda: vault.found("ibis") == ["new/third.md"])
    assert vault.found("kingfisher") == vault.found("heron") == []
    assert vault.found("bittern") == ["first.md"]


def test_links_are_told_and_not_followed(vault: Watched) -> None:
    (vault.outside / "far.md").write_text("# Far\n\nA plover ran.\n", encoding="utf-8")
    (vault.notes / "link.md").symlink_to(vault.outside / "far.md")
    vault.wait_until(lambda: vault.states().get("link.md") == "skipped")
    assert vault.found("plover") == []
    (vault.notes / "link.md").unlink()
    vault.wait_until(lambda: "link.md" not in vault.states())


def test_files_that_can_not_be_read(vault: Watched) -> None:
    for name, data, state in (("latin.md", b"caf\xe9", "failed"), ("none.md", b"", "skipped")):
        (vault.notes / name).write_bytes(data)
        vault.wait_until(lambda name=name, state=state: vault.states().get(name) == state)  # type: ignore[misc]
    with (vault.notes / "huge.md").open("wb") as file:
        file.truncate(50_000_000_000)
    vault.wait_until(lambda: vault.states().get("huge.md") == "failed")
    (vault.notes / "first.md").write_bytes(b"---\nprivate: true\n\nA block that never ends.\n")
    vault.wait_until(lambda: vault.states()["first.md"] == "failed" and vault.found("heron") == [])


def test_a_folder_that_goes_and_comes_back(vault: Watched) -> None:
    vault.notes.rename(vault.outside / "notes")
    vault.wait_until(lambda: vault.states() == {f"{vault.notes}": "failed", "first.md": "indexed"})
    assert vault.found("heron") == ["first.md"]
    (vault.outside / "notes").rename(vault.notes)
    vault.write("second.md", "# Second\n\nA kingfisher flew.\n")
    vault.wait_until(lambda: vault.found("kingfisher") == ["second.md"])
    vault.write("second.md", "# Second\n\nAn ibis flew.\n")
    vault.wait_until(lambda: vault.found("ibis") == ["second.md"])
    assert set(vault.states()) == {"first.md", "second.md"}


def test_a_vault_that_is_not_mounted_any_more(vault: Watched) -> None:
    for number in range(10):
        vault.write(f"n{number}.md", f"# Note {number}\n\nA gannet dived.\n")
    vault.wait_until(lambda: len(vault.found("gannet")) == 10)
    vault.notes.rename(vault.outside / "notes")
    vault.notes.mkdir()
    vault.wait_until(lambda: vault.states().get(str(vault.notes)) == "failed")
    assert len(vault.found("gannet")) == 10
    vault.notes.rmdir()
    (vault.outside / "notes").rename(vault.notes)
    vault.wait_until(lambda: str(vault.notes) not in vault.states())
    assert len(vault.found("gannet")) == 10
    # whoever empties a vault leaves something in it, if it is Obsidian's own folder
    (vault.notes / ".obsidian").mkdir()
    for note in vault.notes.glob("*.md"):
        note.unlink()
    vault.wait_until(lambda: vault.found("gannet") == [])


def test_the_last_notes_of_a_small_folder_may_be_deleted(vault: Watched) -> None:
    (vault.notes / "first.md").unlink()
    vault.wait_until(lambda: vault.found("heron") == [])
    assert vault.states() == {}


def test_a_pattern_added_to_the_settings_hides_at_once(vault: Watched) -> None:
    assert vault.found("heron", "public") == ["first.md"]
    vault.configure('private = ["first.md"]')
    vault.wait_until(lambda: vault.found("heron", "public") == [])
    assert vault.found("heron") == ["first.md"]
    vault.configure("private = 3")
    vault.wait_until(lambda: "the former settings stay" in vault.said[-1])
    more = vault.root / "more"
    more.mkdir()
    (more / "second.md").write_text("# Second\n\nA kingfisher flew.\n", encoding="utf-8")
    vault.configure('[[content]]\npath = "more"')
    vault.wait_until(lambda: vault.found("kingfisher") == ["more/second.md"])
    (more / "second.md").write_text("# Second\n\nAn ibis flew.\n", encoding="utf-8")
    vault.wait_until(lambda: vault.found("ibis") == ["more/second.md"])


def test_obsidian_names_its_templates(tmp_path: Path) -> None:
    vault = Watched(tmp_path)
    vault.configure('kind = "obsidian"')
    vault.settings = load_settings(vault.root / "sitetwin.toml")
    vault.write("Forms/form.md", "A heron form.")
    (vault.notes / ".obsidian").mkdir()
    vault.start()
    try:
        vault.wait_until(lambda: vault.found("heron") == ["Forms/form.md"])
        (vault.notes / ".obsidian/templates.json").write_text('{"folder": "Forms"}', encoding="utf-8")
        vault.wait_until(lambda: vault.found("heron") == [])
    finally:
        vault.stop()


@pytest.mark.slow
def test_a_checkout_of_thousands_of_files(vault: Watched) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "gc.auto=0")
        subprocess.run(["git", *identity, *arguments], cwd=vault.notes, check=True, capture_output=True)

    def notes(branch: str, numbers: range) -> None:
        for number in numbers:
            vault.write(f"{branch}/{number // 50}/n{number}.md", f"# {branch} {number}\n\nWord{branch}{number}.\n")

    vault.stop()
    git("init", "--initial-branch", "main")
    git("add", ".")
    git("commit", "-m", "none")
    git("checkout", "-b", "one")
    notes("one", range(1500))
    notes("both", range(1500))
    git("add", ".")
    git("commit", "-m", "one")
    git("checkout", "-b", "two", "main")
    notes("two", range(1500))
    notes("both", range(750, 2250))
    git("add", ".")
    git("commit", "-m", "two")
    vault.start()
    for branch in ("one", "two", "main", "one"):
        git("checkout", branch)
        expected = {path.relative_to(vault.notes).as_posix() for path in vault.notes.rglob("*.md")}
        # Beside other work a checkout takes more than a minute.
        vault.wait_until(lambda expected=expected: vault.states().keys() == expected, 200)  # type: ignore[misc]
    vault.write("both/20/n1000.md", "# Edited\n\nA turnstone.\n")
    vault.wait_until(lambda: vault.found("turnstone") == ["both/20/n1000.md"])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="of inotify's queue")
def test_more_events_than_the_system_keeps(vault: Watched) -> None:
    """A watcher that is stopped while 5,000 files are written misses the news of folders that it has never seen."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text(encoding="ascii"))
    vault.stop()
    (vault.notes / "old").mkdir()
    command = [sys.executable, "-m", "pipeline", "--config", str(vault.root / "sitetwin.toml"), "watch"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None

        def wait_until(holds: Callable[[], bool]) -> None:
            assert any(holds() for _ in process.stderr)  # type: ignore[union-attr]

        try:
            wait_until(lambda: vault.found("heron") == ["first.md"])
            process.send_signal(signal.SIGSTOP)
            for number in range(limit // 3):  # each creates, opens, modifies and closes
                vault.write(f"old/n{number}.md", f"# Note {number}\n\nA gannet dived.\n")
            vault.write("new/lost.md", "# Lost\n\nA plover ran.\n")
            process.send_signal(signal.SIGCONT)
            wait_until(lambda: vault.found("plover") == ["new/lost.md"] and len(vault.states()) == limit // 3 + 2)
            vault.write("new/lost.md", "# Lost\n\nA dunlin ran.\n")
            wait_until(lambda: vault.found("dunlin") == ["new/lost.md"])
        finally:
            process.terminate()


def test_front_matter_of_a_folder_and_of_the_configuration_counts_at_once(vault: Watched) -> None:
    vault.configure(more='kind = "hugo"')
    vault.wait_until(lambda: vault.found("heron", "public") == ["first.md"])
    section = vault.write("_index.md", "---\ncascade: {draft: true}\n---\n")
    vault.wait_until(lambda: vault.found("heron", "public") == [])
    section.unlink()
    vault.wait_until(lambda: vault.found("heron", "public") == ["first.md"])
    (vault.root / "hugo.toml").write_text("[cascade]\ndraft = true\n", encoding="utf-8")
    vault.wait_until(lambda: vault.found("heron", "public") == [])
