"""A sync killed at any moment leaves what the next sync makes right."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

LONG = " ".join(["It is kept dry and oiled."] * 30)
BEFORE = {
    "edited.md": f"# Edited\n\nOld words here. {LONG}\n\n## Stays\n\nThis part stays. {LONG}\n",
    "deleted.md": f"# Deleted\n\nThis goes away. {LONG}\n",
    "hidden.md": f"# Hidden\n\nThis turns private. {LONG}\n",
    "shown.md": f"---\nprivate: true\n---\n# Shown\n\nThis turns public. {LONG}\n",
    "old.md": f"# Renamed\n\nThis gets a new name. {LONG}\n",
    "same.md": "# Same\n\nNothing happens here.\n",
}
AFTER = {
    "edited.md": f"# Edited\n\nNew words here. {LONG}\n\n## Stays\n\nThis part stays. {LONG}\n",
    "hidden.md": f"---\nprivate: true\n---\n# Hidden\n\nThis turns private. {LONG}\n",
    "shown.md": f"# Shown\n\nThis turns public. {LONG}\n",
    "new.md": f"# Renamed\n\nThis gets a new name. {LONG}\n",
    "same.md": "# Same\n\nNothing happens here.\n",
    "added.md": f"# Added\n\nThis was not there. {LONG}\n",
}


ACTIVE = "SELECT number FROM generations WHERE state = 'active'"


def fill(site, notes):
    shutil.rmtree(site.notes)
    for name, text in notes.items():
        site.write(name, text)


def state(site):
    """Everything that a search can see, from SQLite and Chroma."""
    with sqlite3.connect(site.settings.state / "index.db") as database:
        tables = {
            name: sorted(database.execute(query).fetchall())
            for name, query in {
                "chunks": "SELECT chunks.id, title, visibility, position, text, chunks.digest,"
                f" embedded = ({ACTIVE}) FROM chunks JOIN documents ON documents.id = chunks.document",
                "keywords": "SELECT chunks.id, heading, body FROM keywords JOIN chunks ON number = keywords.rowid",
                "keyword rows": "SELECT COUNT(*) FROM keywords",
                "public keywords": "SELECT chunks.id, heading, body FROM public_keywords"
                " JOIN chunks ON number = public_keywords.rowid",
                "public keyword rows": "SELECT COUNT(*) FROM public_keywords",
                "keyword totals": "SELECT * FROM keyword_totals WHERE chunks OR tokens",
                "files": "SELECT id, state FROM files",
                "tombstones": "SELECT * FROM tombstones",
                "vectors": f"SELECT digest, generation = ({ACTIVE}) FROM vectors",
                "generations": "SELECT state FROM generations",
            }.items()
        }
        (active,) = database.execute(ACTIVE).fetchone()
    database.close()
    assert len(site.collections()) == 2
    return tables | {visibility: site.stored(visibility, active) for visibility in ("public", "private")}


def begin_again(site):
    site.index.close()
    shutil.rmtree(site.settings.state, ignore_errors=True)
    site.forget_vectors()


def run_killed(site, killer, last_line, kind="all"):
    killer.stdin.write(f"{kind} {last_line}\n")
    killer.stdin.flush()
    return killer.stdout.readline().strip()


@pytest.fixture
def killer(site):
    command = [sys.executable, Path(__file__).with_name("killed_sync.py"), site.notes.parent, str(site.port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.stdin.close()
        assert process.wait(30) == 0


def check(site, killer, moments, kind="all"):
    fill(site, AFTER)
    site.index.sync()
    fresh = state(site)
    for moment in moments:
        begin_again(site)
        fill(site, BEFORE)
        with site.open() as index:
            index.sync()
        fill(site, AFTER)
        assert run_killed(site, killer, moment, kind) == "killed"
        with site.open() as index:
            index.sync()
            assert state(site) == fresh, f"killed after {moment} lines"
            hidden = index.search("turns private", 20, visibility="public").passages
            assert {passage.document for passage in hidden}.isdisjoint({"notes/hidden.md", "notes/deleted.md"})


def lines_of_a_sync(site, killer, kind="all"):
    fill(site, BEFORE)
    site.index.sync()
    fill(site, AFTER)
    lines = int(run_killed(site, killer, 0, kind))
    begin_again(site)
    return lines


def test_a_sync_killed_halfway_is_finished_by_the_next(site, killer):
    check(site, killer, [lines_of_a_sync(site, killer) // 2])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["all", "changed", "rebuild"])
def test_a_sync_killed_at_any_moment_is_finished_by_the_next(site, killer, kind):
    lines = lines_of_a_sync(site, killer, kind)
    check(site, killer, range(1, lines, lines // (40 if kind == "all" else 15)), kind)


def test_a_first_sync_killed_is_finished_by_the_next(site, killer):
    fill(site, AFTER)
    site.index.sync()
    fresh = state(site)
    begin_again(site)
    lines = int(run_killed(site, killer, 0))
    for part in (0.1, 0.5, 0.9):
        begin_again(site)
        assert run_killed(site, killer, round(lines * part)) == "killed"
        with site.open() as index:
            index.sync()
        assert state(site) == fresh
