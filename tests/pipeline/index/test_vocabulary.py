from itertools import product
from pathlib import Path

import pytest

from pipeline.index.vocabulary import Vocabulary, open_statistics
from pipeline.settings import ContentSource, RetrievalSettings, Settings
from pipeline.site import Site


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    notes = {
        "a.md": "# A\n\nThe gateway listens on port 8765.",
        "b.md": "# B\n\nThe gateway has a log.",
        "secret.md": "---\nprivate: true\n---\n# S\n\nThe gateway of the bunker has a log.",
    }
    (tmp_path / "notes").mkdir()
    for name, text in notes.items():
        (tmp_path / "notes" / name).write_text(text, encoding="utf-8")
    source = ContentSource(path=Path("notes"), visibility="public")
    made = Settings(root=tmp_path, content=[source], retrieval=RetrievalSettings(mode="keyword"))
    with Site(made).index() as index:
        index.sync()
    return made


def test_chunks_that_hold_a_word_are_counted(settings: Settings) -> None:
    with open_statistics(settings) as statistics:
        words = ("gateway", "log", "bunker", "8765", "unknown")
        assert statistics.vocabulary(words) == Vocabulary(3, {"gateway": 3, "log": 2, "bunker": 1, "8765": 1})


def test_private_text_does_not_count_for_visitors(settings: Settings) -> None:
    with open_statistics(settings) as statistics:
        found = statistics.vocabulary(("gateway", "log", "bunker"), "public")
    assert found == Vocabulary(2, {"gateway": 2, "log": 1})


def test_a_document_can_be_left_out(settings: Settings) -> None:
    with open_statistics(settings) as statistics:
        found = statistics.vocabulary(("gateway", "8765"), "public", without="notes/a.md")
    assert found == Vocabulary(1, {"gateway": 1, "8765": 0})


def test_a_sample_is_of_what_may_be_seen(settings: Settings) -> None:
    with open_statistics(settings) as statistics:
        chunks, vectors = statistics.sample(10, "public")
        assert {chunk.document for chunk in chunks} == {"notes/a.md", "notes/b.md"}
        assert vectors == []
        assert len(statistics.sample(10, None)[0]) == 3
        assert len(statistics.sample(1, None)[0]) == 1


def test_without_an_index_there_is_nothing(tmp_path: Path) -> None:
    with open_statistics(Settings(root=tmp_path)) as statistics:
        assert statistics.vocabulary(("gateway",)) == Vocabulary(0, {})
        assert statistics.sample(3, None) == ([], [])
        assert statistics.embedder_name() is None
    assert not (tmp_path / ".sitetwin").exists()


MANY = " ".join(f"wort{''.join(letters)}" for letters in product("abcdefghijk", repeat=3))
"""More words than SQLite has room for conditions."""


def test_a_word_is_found_in_the_compounds_that_end_in_it_but_not_in_private_ones(tmp_path: Path) -> None:
    notes = {
        "a.md": "# A\n\nJede Nacht läuft eine Datensicherung auf dem Server im Keller.",
        "b.md": "# B\n\nDer Server im Keller ist alt, und niemand hat einen Schlüssel dafür.",
        "c.md": "---\nprivate: true\n---\n# C\n\nDie Geheimsicherung liegt auf dem Server im Keller.",
    }
    (tmp_path / "notes").mkdir()
    for name, text in notes.items():
        (tmp_path / "notes" / name).write_text(text, encoding="utf-8")
    source = ContentSource(path=Path("notes"), visibility="public")
    made = Settings(root=tmp_path, content=[source], retrieval=RetrievalSettings(mode="keyword"))
    with Site(made).index() as index:
        index.sync()
        of_visitors = index.search("Wann läuft die Sicherung?", visibility="public").passages
        of_owner = index.search("Sicherung", visibility=None).passages
        private = index.search("Sicherung", visibility="private").passages
        of_many_words = index.search(f"Wann läuft die Sicherung? {MANY}", visibility="public").passages
    assert [passage.document for passage in of_visitors] == ["notes/a.md"]
    assert {passage.document for passage in of_owner} == {"notes/a.md", "notes/c.md"}
    assert [passage.document for passage in private] == ["notes/c.md"]
    assert of_many_words[0].document == "notes/a.md"
