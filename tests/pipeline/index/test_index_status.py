import pytest

from pipeline.errors import SitetwinError
from pipeline.site import Site


def test_nothing_is_there_before_the_first_sync(site):
    counts, files = site.index.status()
    assert (counts.indexed, counts.pending, files) == (0, 0, [])
    assert site.index.documents() == []
    assert site.index.embedder_name() is None
    assert not site.settings.state.exists()


def test_every_file_has_a_state_and_a_reason(site):
    site.write("good.md", "# Good\n\nText.\n")
    site.write("secret.md", "---\nprivate: true\n---\nText.\n")
    site.write("empty.md", "")
    (site.notes / "broken.md").write_bytes(b"\xff\xfe\x00\x01 not text \xff")
    site.index.sync()
    counts, files = site.index.status()
    states = {file.path.rsplit("/", 1)[1]: file for file in files}
    assert states["good.md"].state == states["secret.md"].state == "indexed"
    assert (states["good.md"].visibility, states["secret.md"].visibility) == ("public", "private")
    assert states["good.md"].chunks == 1
    assert states["good.md"].indexed_at
    assert all(states[name].reason and states[name].chunks == 0 for name in ("empty.md", "broken.md"))
    assert (counts.indexed, counts.skipped + counts.failed, counts.pending) == (2, 2, 0)
    assert [entry.id for entry in site.index.documents("public")] == ["notes/good.md"]
    assert site.index.documents("public")[0].url == "/good"
    assert site.index.embedder_name() == "hashed-words"


def test_what_is_not_embedded_yet_is_pending(site):
    class Broken(type(site.embedder)):
        def embed(self, texts):
            raise SitetwinError("no weights")

    site.write("good.md", "# Good\n\nText.\n")
    with site.open(Broken()) as index, pytest.raises(SitetwinError, match="no weights"):
        index.sync()
    assert site.index.status()[0].pending == 1
    assert site.index.search("good text", retrieval="keyword").passages
    site.index.sync()
    assert (site.index.status()[0].pending, site.index.status()[0].indexed) == (0, 1)


def test_opening_the_index_of_settings_starts_nothing(site):
    with Site(site.settings).index() as index:
        assert index.status()[1] == []
    assert not site.settings.state.exists()
