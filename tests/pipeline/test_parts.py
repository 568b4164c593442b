from pathlib import Path

import pytest

from pipeline.content.chunking import chunker
from pipeline.content.documents import Document
from pipeline.errors import SettingsError
from pipeline.parts import CHUNKERS, DATASET_FORMATS, EXPORTS, FILTER_STAGES, Parts
from pipeline.settings import IndexSettings, load_settings
from tests.distributions import install

LINES = """
from pipeline.content.packing import Cut
from pipeline.content.structure import parse_sections

def lines(document, settings, embed):
    section = parse_sections(document.text, document.title)[0]
    for line in document.text.splitlines():
        yield section, Cut(line, 0, len(line))
"""


@pytest.mark.parametrize("table", [CHUNKERS, FILTER_STAGES, DATASET_FORMATS, EXPORTS])
def test_each_line_of_a_table_names_a_part(table: Parts) -> None:
    assert all(table.load(name) for name in table.kinds())


def test_another_distribution_adds_a_chunker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "by_lines", LINES, "[sitetwin.chunkers]\nlines = by_lines:lines\n")
    assert CHUNKERS.kinds() == ["structure", "fixed", "semantic", "lines"]
    cut = chunker(IndexSettings(chunker="lines"), lambda texts: pytest.fail("nothing is embedded"))
    chunks = cut(Document("a.md", Path("a.md"), "Title", "", "one\ntwo", "public"))
    assert [chunk.text for chunk in chunks] == ["one", "two"]


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
