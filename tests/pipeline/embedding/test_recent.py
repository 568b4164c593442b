import numpy as np
import pytest

from pipeline.embedding import recent
from pipeline.embedding.recent import embed_again
from tests.pipeline.index.conftest import HashedWords


def test_a_text_is_embedded_once():
    embedder = HashedWords("once")
    first = embed_again(embedder, ["the cat", "the boiler", "the cat"])
    assert first == pytest.approx(HashedWords().embed(["the cat", "the boiler", "the cat"]))
    again = embed_again(embedder, ["the boiler", "the well"])
    assert again == pytest.approx(HashedWords().embed(["the boiler", "the well"]))
    assert embedder.seen == ["the cat", "the boiler", "the well"]


def test_another_embedder_has_other_vectors():
    embed_again(HashedWords("one"), ["the cat"])
    other = HashedWords("other")
    embed_again(other, ["the cat"])
    assert other.seen == ["the cat"]


def test_what_was_read_long_ago_is_forgotten(monkeypatch):
    monkeypatch.setattr(recent, "_vectors", recent.Recent(most=2))
    embedder = HashedWords("forgets")
    for text in ("a", "b", "a", "c", "a", "b"):
        assert np.array_equal(embed_again(embedder, [text]), embedder.embed([text]))
    assert embedder.seen == ["a", "a", "b", "b", "a", "c", "c", "a", "b", "b"]


def test_no_texts():
    assert embed_again(HashedWords("none"), []).shape == (0, 256)
