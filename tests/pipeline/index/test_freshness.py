"""What is found is still there: a look at the files of the passages."""

import os
import sqlite3
from contextlib import closing

import pytest

from pipeline.content import read_changed

HERON = "# Heron\n\nA heron stood at the weir.\n"


@pytest.fixture
def garden(site):
    site.write("heron.md", f"{HERON}\n## Nests\n\nA heron has three nests.\n")
    site.write("fox.md", "# Fox\n\nA fox sleeps below the shed.\n")
    site.index.sync()
    return site


def reading(garden):
    index = garden.open()
    index._reread = lambda paths: read_changed(garden.settings, paths)
    return index


def headings(index, query, **options):
    return {(passage.title, passage.heading) for passage in index.search(query, 5, **options).passages}


@pytest.mark.parametrize("retrieval", ["hybrid", "dense", "keyword"])
def test_a_deleted_file_is_not_served_before_the_sync(garden, retrieval):
    assert ("Heron", "") in headings(garden.index, "heron", retrieval=retrieval)
    (garden.notes / "heron.md").unlink()
    found = garden.index.search("heron", 5, retrieval, explain=True)
    assert "notes/heron.md" not in {passage.document for passage in [*found.passages, *found.explanation.passages]}
    assert "sitetwin index" in found.note


def test_of_a_changed_file_only_what_still_stands_there_is_served(garden):
    garden.write("heron.md", f"{HERON}\n## Nests\n\nA heron has four nests this year.\n")
    with reading(garden) as index:
        assert headings(index, "heron nests", retrieval="keyword") == {("Heron", "")}
        assert "sitetwin index" in index.search("heron nests", retrieval="keyword").note
        index.sync()
        assert headings(index, "heron nests", retrieval="keyword") == {("Heron", ""), ("Heron", "Nests")}
        assert index.search("heron nests", retrieval="keyword").note == ""


def test_a_file_made_private_is_no_visitors_before_the_sync(garden):
    garden.write("heron.md", f"---\nprivate: true\n---\n{HERON}")
    with reading(garden) as index:
        assert headings(index, "heron", visibility="public", retrieval="keyword") == set()
        assert headings(index, "heron", retrieval="keyword") == {("Heron", "")}


def test_a_file_that_was_only_touched_is_served(garden):
    os.utime(garden.notes / "heron.md", (0, 0))
    with reading(garden) as index:
        assert headings(index, "heron", retrieval="keyword") == {("Heron", ""), ("Heron", "Nests")}
        assert index.sync().is_quiet
    assert headings(garden.index, "heron", retrieval="keyword") == {("Heron", ""), ("Heron", "Nests")}


def test_what_expires_is_no_visitors_from_that_moment_on(site):
    site.write("offer.md", "---\nexpiryDate: 2099-01-01\n---\n# Offer\n\nApples cost two euros.\n")
    site.index.sync()
    assert site.found("apples", visibility="public", retrieval="keyword") == ["offer.md"]
    database = sqlite3.connect(site.settings.state / "index.db")
    with closing(database), database:  # as if the day had come since the sync
        assert database.execute("UPDATE documents SET changes_at = 1").rowcount == 1
    assert site.found("apples", visibility="public", retrieval="keyword") == []
    assert site.found("apples", retrieval="keyword") == ["offer.md"]
