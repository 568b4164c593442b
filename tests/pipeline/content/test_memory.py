import os
import time
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.content import read_sources
from pipeline.content.memory import ReadMemory
from pipeline.settings import ContentSource, Settings

LONG_AGO = time.time() - 3600


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    for name in ("a.md", "b.md"):
        write(folder / name, f"Text of {name}.")
    return folder


@pytest.fixture
def settled(monkeypatch):
    """Files written a moment ago count as settled, so that no test must wait."""
    monkeypatch.setattr("pipeline.content.memory.SETTLED_SECONDS", -1.0)


def write(path, text, at=LONG_AGO):
    path.write_text(text, "utf-8")
    os.utime(path, (at, at))


def read(folder, memory, **source):
    settings = Settings(root=folder.parent, content=[ContentSource(path="notes", **source)])
    return {report.path.name: report for report in read_sources(settings, memory)}


@pytest.mark.usefixtures("settled")
def test_what_did_not_change_is_not_read_again(notes):
    memory = ReadMemory()
    first, second, third = (read(notes, memory) for _ in range(3))
    assert first == read(notes, None)
    for name in ("a.md", "b.md"):
        assert second[name] is first[name]
        assert third[name] is first[name]


@pytest.mark.usefixtures("settled")
def test_a_change_that_keeps_the_size_is_seen(notes):
    memory = ReadMemory()
    read(notes, memory)
    write(notes / "a.md", "Next of a.md.", LONG_AGO + 1)
    write(notes / "draft", "Next of b.md.")
    (notes / "draft").replace(notes / "b.md")
    for _ in range(2):
        assert [report.document.text for report in read(notes, memory).values()] == ["Next of a.md.", "Next of b.md."]


def test_a_file_saved_a_moment_ago_is_read_again(notes):
    memory = ReadMemory()
    first, second = read(notes, memory), read(notes, memory)
    assert second == first
    assert second["a.md"] is not first["a.md"]


@pytest.mark.usefixtures("settled")
def test_other_settings_read_again(notes):
    memory = ReadMemory()
    assert read(notes, memory)["a.md"].document.visibility == "private"
    assert read(notes, memory, visibility="public")["a.md"].document.visibility == "public"
    hidden = read(notes, memory, visibility="public", private=["a.md"])
    assert (hidden["a.md"].document.visibility, hidden["b.md"].document.visibility) == ("private", "public")
    assert read(notes, memory, exclude=["a.md"])["a.md"].state == "skipped"


@pytest.mark.usefixtures("settled")
def test_what_is_gone_is_forgotten(notes):
    memory = ReadMemory()
    first = read(notes, memory)
    (notes / "a.md").rename(notes.parent / "a.md")
    assert list(read(notes, memory)) == ["b.md"]
    (notes.parent / "a.md").rename(notes / "a.md")
    back = read(notes, memory)
    assert back == first
    assert back["a.md"] is not first["a.md"]


@pytest.mark.usefixtures("settled")
def test_a_day_that_comes_is_seen_without_an_edit(notes):
    """One file is out in a second, the other in many years."""
    memory, moment = ReadMemory(), datetime.now(UTC) + timedelta(seconds=1)
    write(notes / "a.md", f"---\ndate: {moment.isoformat()}\n---\nThe fair opens.")
    write(notes / "b.md", "---\ndate: 2099-01-01\n---\nThe fair closes.")

    def visibilities():
        return [report.document.visibility for report in read(notes, memory, visibility="public").values()]

    assert visibilities() == ["private", "private"]
    deadline = time.monotonic() + 30
    while visibilities() == ["private", "private"]:
        assert time.monotonic() < deadline
    assert datetime.now(UTC) >= moment
    assert visibilities() == ["public", "private"]
