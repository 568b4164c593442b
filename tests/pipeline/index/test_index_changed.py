"""A sync of single files, and what overtakes a long one."""

import sqlite3
import threading
import time
from contextlib import closing

import pytest

from pipeline.content import read_changed
from pipeline.errors import StaleIndexError

TOOLS = "# Tools\n\nA chisel is sharpened on a wet stone.\n\n## Saws\n\nA ripsaw cuts along the grain.\n"
PRIVATE = f"---\nprivate: true\n---\n{TOOLS}"


@pytest.fixture
def garden(site):
    site.write("fruit.md", "# Fruit\n\nAn apple tree needs a cold winter.\n")
    site.write("tools.md", TOOLS)
    site.index.sync()
    site.embedder.seen.clear()
    return site


def changed(site, *names):
    return read_changed(site.settings, [site.notes / name for name in names])


def test_only_the_named_files_are_looked_at(garden):
    garden.write("new.md", "# New\n\nA trowel.\n")
    garden.write("unseen.md", "# Unseen\n\nA dibber.\n")
    report = garden.index.sync(changed=changed(garden, "new.md", "tools.md"))
    assert (report.added, report.unchanged, report.removed, report.chunks_embedded) == (1, 1, 0, 1)
    assert garden.found("trowel", retrieval="dense")[0] == "new.md"
    assert garden.found("dibber", retrieval="keyword") == []
    garden.write("tools.md", PRIVATE)
    (garden.notes / "new.md").rename(garden.notes / "trowel.md")
    (garden.notes / "fruit.md").write_bytes(b"")
    report = garden.index.sync(changed=changed(garden, "new.md", "tools.md", "trowel.md", "fruit.md"))
    assert (report.added, report.changed, report.removed, report.skipped) == (1, 1, 2, 1)
    assert garden.found("ripsaw", visibility="public", retrieval="keyword") == []
    assert garden.found("trowel")[0] == "trowel.md"
    assert {id.split("#")[0] for id in garden.stored("public")} == {"notes/trowel.md"}
    assert {id.split("#")[0] for id in garden.stored("private")} == {"notes/tools.md"}
    (garden.notes / "unseen.md").unlink()
    states = garden.index.status()
    assert garden.index.sync().is_quiet
    assert garden.index.status() == states


def test_what_a_walk_would_not_read_is_not_read(garden, tmp_path):
    names = (".hidden.md", ".obsidian/a.md", "node_modules/a.md", "a.log", "4913", "TOOLS.md", "a.md~", "other/a.md")
    for name in names[:5]:
        garden.write(name, "# Hidden\n\nA dibber.\n")
    (garden.notes / "other").symlink_to(garden.notes / ".obsidian")
    (garden.notes / "link.md").symlink_to(garden.notes / ".hidden.md")
    reports = {report.id: report.state for report in changed(garden, *names, "link.md")}
    assert reports == {"notes/TOOLS.md": "gone", "notes/other/a.md": "gone", "notes/link.md": "skipped"}
    assert list(read_changed(garden.settings, [tmp_path / "elsewhere.md"])) == []


def test_a_note_hidden_or_deleted_while_thousands_are_embedded_is_gone_at_once(garden):
    """Also when others search meanwhile, and without a vector of it left when the sync is done."""
    for number in range(150):
        garden.write(f"n{number}.md", f"# Note {number}\n\nGannet {number} dived.\n")
    waiting, leaks, took, stop = [], [], [], threading.Event()
    hidden = threading.Event()

    def meanwhile():
        names, waiting[:] = list(waiting), []
        return changed(garden, *names)

    def ask():
        while not stop.is_set():
            if hidden.wait(0.01) and {"tools.md", "fruit.md"} & set(garden.found("ripsaw apple", visibility="public")):
                leaks.append("found")

    def progress(done, total, unit):
        if unit == "chunks" and not took:
            garden.write("tools.md", PRIVATE)
            (garden.notes / "fruit.md").unlink()
            waiting.extend(["tools.md", "fruit.md"])
            took.append(time.perf_counter())
        elif len(took) == 1:
            assert garden.found("ripsaw apple", visibility="public", retrieval="keyword") == []
            hidden.set()
            took.append(time.perf_counter())

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    report = garden.index.sync(progress, meanwhile=meanwhile)
    stop.set()
    for thread in threads:
        thread.join()
    assert leaks == []
    assert hidden.is_set()
    assert (report.added, report.changed, report.removed) == (150, 1, 1)
    assert {id.split("#")[0] for id in garden.stored("private")} == {"notes/tools.md"}
    assert len(garden.stored("public")) == 150
    assert garden.index.sync().is_quiet


def test_a_note_that_changes_after_it_was_walked_past(garden):
    """Deleted, or written for the first time, while the others are still being read."""
    garden.write("zebra.md", "# Zebra\n\nStripes.\n")
    turns = iter([["fruit.md", "anew.md"], []])

    def meanwhile():
        names = next(turns, [])
        if names:
            (garden.notes / "fruit.md").unlink()
            garden.write("anew.md", "# Anew\n\nA dibber.\n")
        return changed(garden, *names)

    garden.index.sync(meanwhile=meanwhile)
    assert garden.found("apple", retrieval="keyword") == []
    assert garden.found("dibber")[0] == "anew.md"
    assert {file.path.rsplit("/", 1)[1] for file in garden.index.status()[1]} == {"anew.md", "tools.md", "zebra.md"}
    assert garden.index.sync().is_quiet


def test_an_index_of_an_earlier_version_is_made_anew_by_the_next_sync(garden):
    garden.index.close()
    with closing(sqlite3.connect(garden.settings.state / "index.db")) as database:
        database.execute("PRAGMA user_version = 1")
    with pytest.raises(StaleIndexError, match="sitetwin index --rebuild"):
        garden.found("ripsaw")
    report = garden.index.sync(changed=())
    assert (report.rebuilt, report.added, report.chunks_embedded) == (True, 2, 3)
    assert "made anew, as it was of an earlier version: 2 added" in report.summary()
    assert garden.found("ripsaw")[0] == "tools.md"
    assert not garden.index.sync().rebuilt


def test_an_index_of_a_later_version_is_left_alone(garden):
    garden.index.close()
    with closing(sqlite3.connect(garden.settings.state / "index.db")) as database:
        database.execute("PRAGMA user_version = 999")
    with pytest.raises(StaleIndexError, match="another version"):
        garden.index.sync()


def test_a_folder_that_is_empty_all_at_once_keeps_its_documents_until_a_rebuild(garden):
    for number in range(8):
        garden.write(f"n{number}.md", f"# Note {number}\n\nA gannet dived.\n")
    garden.index.sync()
    for note in garden.notes.iterdir():
        note.unlink()
    report = garden.index.sync()
    assert (report.removed, report.failed) == (0, 1)
    assert garden.found("ripsaw")[0] == "tools.md"
    (reason,) = [file.reason for file in garden.index.status()[1] if file.state == "failed"]
    assert "held 10 documents, which are kept" in reason
    assert garden.index.sync(rebuild=True).removed == 10
    assert garden.index.documents() == []
