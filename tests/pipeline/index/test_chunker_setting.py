from pathlib import Path

import pytest

from pipeline.index.passages import SyncReport
from pipeline.settings import ContentSource, IndexSettings, RetrievalSettings, Settings
from pipeline.site import Site

NOTE = "# Note\n\n" + "\n\n".join(f"## Part {number}\n\n" + "Some words of a sentence. " * 12 for number in range(6))


def synced(root: Path, **index: object) -> SyncReport:
    settings = Settings(
        root=root,
        content=[ContentSource(path=Path("notes"))],
        index=IndexSettings.model_validate(index),
        retrieval=RetrievalSettings(mode="keyword"),
    )
    with Site(settings).index() as opened:
        return opened.sync()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "note.md").write_text(NOTE, encoding="utf-8")
    return tmp_path


def test_another_chunker_or_another_number_of_its_own_cuts_again(root):
    assert synced(root).added == 1
    assert synced(root).unchanged == 1
    assert synced(root, chunk_overlap=50).unchanged == 1
    assert synced(root, chunker="fixed").changed == 1
    assert synced(root, chunker="fixed").unchanged == 1
    assert synced(root, chunker="fixed", chunk_overlap=50).changed == 1
    assert synced(root, chunker="fixed", chunk_overlap=50, chunk_chars=500).changed == 1
    assert synced(root).changed == 1


def test_the_semantic_chunker_has_an_embedder_without_vectors_too(root):
    assert synced(root, chunker="semantic").added == 1
    with Site(Settings(root=root, retrieval=RetrievalSettings(mode="keyword"))).index() as opened:
        assert opened.search("sentence words").passages
