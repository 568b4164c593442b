from pathlib import Path

import pytest

from pipeline.content.chunking import chunker
from pipeline.content.documents import Document
from pipeline.errors import SettingsError
from pipeline.parts import CHUNKERS, CONTENT_KINDS, DATASET_FORMATS, EXPORTS, FILTER_STAGES, Parts
from pipeline.settings import IndexSettings, load_settings
from pipeline.site import Site
from tests.distributions import install

LINES = """
from pipeline.content.packing import Cut
from pipeline.content.structure import parse_sections

def lines(document, settings, embed):
    section = parse_sections(document.text, document.title)[0]
    for line in document.text.splitlines():
        yield section, Cut(line, 0, len(line))
"""

ZETTEL = """
from pipeline.content.kinds.kind import ContentKind

class Zettel(ContentKind):
    default_visibility = "public"

    def is_private(self, path):
        return path.startswith("inbox/")

    def rule_against(self, root):
        return lambda path: "an index card: rename it" if path.startswith("00") else ""

ZETTEL = Zettel()
"""


@pytest.mark.parametrize("table", [CONTENT_KINDS, CHUNKERS, FILTER_STAGES, DATASET_FORMATS, EXPORTS])
def test_each_line_of_a_table_names_a_part(table: Parts) -> None:
    assert all(table.load(name) for name in table.kinds())


def test_another_distribution_adds_a_chunker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "by_lines", LINES, "[sitetwin.chunkers]\nlines = by_lines:lines\n")
    assert CHUNKERS.kinds() == ["structure", "fixed", "semantic", "lines"]
    cut = chunker(IndexSettings(chunker="lines"), lambda texts: pytest.fail("nothing is embedded"))
    chunks = cut(Document("a.md", Path("a.md"), "Title", "", "one\ntwo", "public"))
    assert [chunk.text for chunk in chunks] == ["one", "two"]


def test_another_distribution_adds_a_content_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "zettel_kind", ZETTEL, "[sitetwin.content_kinds]\nzettel = zettel_kind:ZETTEL\n")
    (tmp_path / "sitetwin.toml").write_text('[[content]]\npath = "z"\nkind = "zettel"\n', encoding="utf-8")
    (tmp_path / "z" / "inbox").mkdir(parents=True)
    for name in ("00.md", "01.md", "inbox/02.md"):
        (tmp_path / "z" / name).write_text("A thought %% of mine %%.", encoding="utf-8")
    reports = list(Site(load_settings(tmp_path / "sitetwin.toml")).read())
    assert [(report.id, report.reason) for report in reports if not report.document] == [
        ("z/00.md", "an index card: rename it")
    ]
    assert [(report.document.text, report.document.visibility) for report in reports if report.document] == [
        ("A thought .", "public"),
        ("A thought .", "private"),
    ]


def test_what_is_no_part_is_named_with_the_choices(tmp_path: Path) -> None:
    file = tmp_path / "sitetwin.toml"
    file.write_text('[index]\nchunker = "lines"\n', encoding="utf-8")
    with pytest.raises(
        SettingsError, match=r"index\.chunker: 'lines' is no chunker: choose one of structure, fixed, sem"
    ):
        load_settings(file)
    file.write_text('[dataset]\nstages = ["form", "judge", "taste"]\n', encoding="utf-8")
    with pytest.raises(
        SettingsError, match=r"stages\.2: 'taste' is no stage of the filter: .* relevance, duplicates, j"
    ):
        load_settings(file)
    with pytest.raises(ValueError, match="'x' is no format"):
        DATASET_FORMATS.load("x")
