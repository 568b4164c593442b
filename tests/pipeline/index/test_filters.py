"""Filters of a search, over a real index."""

from datetime import date

import numpy as np
import pytest

from pipeline.errors import SitetwinError
from pipeline.index import lists
from pipeline.index.filters import Filters, parse_day

NOTES = {
    "blog/2019/lamp.md": ("2019-05-01", "[Project/Garden, lamp]"),
    "blog/2019/oil.md": ("2019-12-31", "[project]"),
    "blog/2020/wick.md": ("2020-01-01", "[projects, Ölung]"),
    "blog-drafts/glass.md": ("", "[lamp]"),
    "top.md": ("", "[]"),
}
MODES = pytest.mark.parametrize("retrieval", ["hybrid", "dense", "keyword"])


@pytest.fixture
def dated(site):
    for name, (day, tags) in NOTES.items():
        front = f"date: {day}\n" if day else ""
        site.write(name, f"---\n{front}tags: {tags}\n---\n# About {name}\n\nThe lamp is lit at dusk.\n")
    site.index.sync()
    return site


@MODES
@pytest.mark.parametrize(
    ("filters", "notes"),
    [
        (Filters(), set(NOTES)),
        (Filters(folder="notes"), set(NOTES)),
        (Filters(folder="notes/blog"), {"blog/2019/lamp.md", "blog/2019/oil.md", "blog/2020/wick.md"}),
        (Filters(folder="/notes/blog/2019/"), {"blog/2019/lamp.md", "blog/2019/oil.md"}),
        (Filters(folder="./notes/blog-drafts"), {"blog-drafts/glass.md"}),
        (Filters(folder="notes/blo"), set()),
        (Filters(folder="notes/%"), set()),
        (Filters(tags=("project",)), {"blog/2019/lamp.md", "blog/2019/oil.md"}),
        (Filters(tags=("#PROJECT/garden",)), {"blog/2019/lamp.md"}),
        (Filters(tags=("project/",)), {"blog/2019/lamp.md", "blog/2019/oil.md"}),
        (Filters(tags=("ölung",)), {"blog/2020/wick.md"}),
        (Filters(tags=("lamp", "project")), {"blog/2019/lamp.md"}),
        (Filters(after=date(2019, 12, 31)), {"blog/2019/oil.md", "blog/2020/wick.md"}),
        (Filters(before=date(2019, 12, 31)), {"blog/2019/lamp.md", "blog/2019/oil.md"}),
        (Filters(after=date(2019, 6, 1), before=date(2019, 12, 31)), {"blog/2019/oil.md"}),
        (Filters(folder="notes/blog", tags=("lamp",), before=date(2020, 1, 1)), {"blog/2019/lamp.md"}),
    ],
)
def test_only_what_passes_is_found_and_all_of_it(dated, retrieval, filters, notes):
    assert set(dated.found("When is the lamp lit?", retrieval=retrieval, filters=filters)) == notes


@MODES
@pytest.mark.parametrize(("few", "deep"), [(5000, 1000), (2, 1000), (2, 15)])
def test_few_among_many_are_all_found_in_their_order(site, monkeypatch, retrieval, few, deep):
    """Compared one by one; through Chroma, asked for enough; and through Chroma, which names too few that pass."""
    monkeypatch.setattr(lists, "FEW", few)
    monkeypatch.setattr(lists, "DEEP", deep)
    for number in range(60):
        site.write(f"near/{number}.md", f"The lamp is lit at dusk. Note {number}.\n")
    for number in range(8):
        site.write(f"far/{number}.md", f"The lamp {'is oiled and ' * number} cleaned with care each spring.\n")
    site.index.sync()
    site.settings.retrieval.candidates = 10
    with site.open() as index:
        found = index.search("The lamp is lit at dusk", 10, retrieval, filters=Filters(folder="notes/far")).passages
    assert {passage.document for passage in found} == {f"notes/far/{number}.md" for number in range(8)}
    if retrieval == "dense":
        cosines = [site.similarity("The lamp is lit at dusk", passage) for passage in found]
        assert cosines == sorted(cosines, reverse=True)
        np.testing.assert_allclose([passage.score for passage in found], cosines, atol=1e-3)


@MODES
def test_filters_show_nothing_private(dated, retrieval):
    dated.write("blog/2019/secret.md", "---\nprivate: true\ntags: [lamp]\ndate: 2019-07-01\n---\nThe lamp is lit.\n")
    dated.index.sync()
    filters = Filters(folder="notes/blog/2019", tags=("lamp",))
    found = dated.found("lamp", retrieval=retrieval, filters=filters, visibility="public")
    assert found == ["blog/2019/lamp.md"]
    assert set(dated.found("lamp", retrieval=retrieval, filters=filters)) == {
        "blog/2019/lamp.md",
        "blog/2019/secret.md",
    }


@pytest.mark.parametrize(
    ("filters", "note"),
    [
        (Filters(folder="blog"), "no document is in the folder blog: the nearest is notes/blog"),
        (
            Filters(folder="notes/blgo/2019"),
            "no document is in the folder notes/blgo/2019: the nearest is notes/blog/2019",
        ),
        (Filters(tags=("lamp", "gardn")), "no document has the tag gardn: the nearest is Project/Garden"),
        (Filters(tags=("zebra",)), "no document has the tag zebra: there are Project/Garden, lamp, project, projects"),
        (Filters(tags=("projcet",)), "no document has the tag projcet: the nearest is project"),
        (Filters(tags=("garden",)), "no document has the tag garden: the nearest is Project/Garden"),
        (Filters(after=date(2021, 1, 1)), "no document has a date from 2021-01-01: give a wider range"),
        (Filters("notes/blog-drafts", ("project",)), "no document has all of folder notes/blog-drafts, tag project"),
        (Filters(folder="notes/blog"), ""),
    ],
)
def test_filters_that_no_document_passes_say_so(dated, filters, note):
    result = dated.index.search("lamp", filters=filters)
    assert result.note.startswith(note)
    assert bool(result.note) == bool(note)
    assert bool(result.passages) == (not note)


def test_the_hint_names_nothing_private(dated):
    dated.write("affairs/x.md", "---\nprivate: true\ntags: [affair]\n---\nThe lamp.\n")
    dated.index.sync()
    for filters in (Filters(folder="notes/affair"), Filters(tags=("affairs",))):
        assert "affair" in dated.index.search("lamp", filters=filters).note.split(":")[1]
        assert "affair" not in dated.index.search("lamp", filters=filters, visibility="public").note.split(":")[1]


def test_a_day_is_written_in_one_way():
    assert parse_day(" 2024-03-31 ") == date(2024, 3, 31)
    assert parse_day("") is None
    for text in ("2024", "31.3.2024", "2024-02-30", "yesterday"):
        with pytest.raises(SitetwinError, match="as in 2024-03-31"):
            parse_day(text)
