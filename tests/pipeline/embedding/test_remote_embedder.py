from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.embedding.remote_embedder import BATCH, SHORTEST, RefusedTextError, RemoteEmbedder
from pipeline.errors import ModelError


class Letters:
    """A server whose vectors count letters. It takes texts of at most `longest` characters."""

    def __init__(self, longest: int = 10_000, letters: str = "abc") -> None:
        self.longest = longest
        self.letters = letters
        self.asked: list[list[str]] = []

    def identity(self) -> str:
        return "letters"

    def vectors(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        self.asked.append(list(texts))
        if any(len(text) > self.longest for text in texts):
            raise RefusedTextError("too long")
        return [[1.0 + text.count(letter) for letter in self.letters] for text in texts]


def test_vectors_have_length_1_and_the_servers_dimension() -> None:
    embedder = RemoteEmbedder(Letters())
    vectors = embedder.embed(["aab", "c"])
    assert embedder.name == "letters-3"
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(
        vectors, [[3 / 14**0.5, 2 / 14**0.5, 1 / 14**0.5], [6**-0.5, 6**-0.5, 2 * 6**-0.5]], atol=1e-6
    )
    assert embedder.embed([]).shape == (0, 3)


def test_texts_go_in_batches_and_come_back_in_order() -> None:
    server = Letters()
    embedder = RemoteEmbedder(server)
    texts = ["a" * n for n in range(BATCH * 2 + 5)]
    vectors = embedder.embed(texts)
    assert [len(batch) for batch in server.asked] == [1, BATCH, BATCH, 5]
    assert np.all(np.diff(vectors[:, 0]) > 0)


def test_a_text_that_is_refused_for_its_length_is_cut_and_the_others_are_not() -> None:
    server = Letters(longest=300)
    short, long = "b" * 250, "a" * 400 + "c" * 600
    vectors = RemoteEmbedder(server).embed([short, long])
    whole = RemoteEmbedder(Letters()).embed([short, "a" * 250])
    np.testing.assert_array_equal(vectors, whole)


def test_what_is_refused_though_short_is_an_error() -> None:
    with pytest.raises(RefusedTextError):
        RemoteEmbedder(Letters(longest=3)).embed(["a" * SHORTEST])


def test_a_model_that_was_exchanged_is_noticed() -> None:
    server = Letters()
    embedder = RemoteEmbedder(server)
    embedder.embed(["a"])
    server.letters = "abcd"
    with pytest.raises(
        ModelError, match=r"letters gave 1 vectors of 4 numbers for 1 texts, not of 3: .*run the command again"
    ):
        embedder.embed(["a"])


@pytest.mark.parametrize("number", [0.0, float("nan")])
def test_a_vector_without_direction_is_refused(number: float) -> None:
    class Broken(Letters):
        def vectors(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
            return [[number, number] for _ in texts]

    with pytest.raises(ModelError, match="without a direction"):
        RemoteEmbedder(Broken()).embed(["a"])
