"""Turns texts into vectors by asking a model server."""

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import numpy as np

from pipeline.errors import ModelError

BATCH = 32
"""The most texts in one request."""
SHORTEST = 100
"""Characters. If a server refuses so short a text, the reason is not its length."""


class RefusedTextError(ModelError):
    """The server refuses the texts of one request, probably because one is longer than its model accepts."""


class EmbeddingServer(Protocol):
    """A server that turns texts into vectors."""

    def identity(self) -> str:
        """Names the model and, if the server tells, its weights. It is asked often, because a server may exchange them.

        Raises:
            ModelError: the server can't be reached, or lacks the model.
        """

    def vectors(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One vector for each text.

        Raises:
            RefusedTextError: the server may take shorter texts.
            ModelError: the server can't be reached, or lacks the model.
        """


class RemoteEmbedder:
    """Asks `server` in batches. A text that is too long for its model is cut.

    Raises:
        ModelError: by every method and property, if the server can't be asked.
    """

    def __init__(self, server: EmbeddingServer) -> None:
        self._server = server

    @property
    def name(self) -> str:
        """The server's identity of the model with the vectors' dimension."""
        return f"{self._server.identity()}-{self.dimension}"

    @cached_property
    def dimension(self) -> int:
        """The length of the server's first vector."""
        return len(self._server.vectors(["dimension"])[0])

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """The texts' vectors, as `TextModel.embed`."""
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for start in range(0, len(texts), BATCH):
            rows = slice(start, start + BATCH)
            vectors[rows] = self._checked(_answer(self._server, texts[rows]), len(texts[rows]))
        return vectors

    def _checked(self, answer: Sequence[Sequence[float]], count: int) -> np.ndarray:
        """`answer` as (count, dimension) with rows of length 1."""
        if [len(vector) for vector in answer] != [self.dimension] * count:
            lengths = ", ".join(str(length) for length in sorted({len(vector) for vector in answer})) or "no"
            raise ModelError(
                f"{self._server.identity()} gave {len(answer)} vectors of {lengths} numbers for {count} texts, not of "
                f"{self.dimension}: its model was exchanged, run the command again"
            )
        vectors = np.asarray(answer, np.float64)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.all(np.isfinite(lengths) & (lengths > 0)):
            raise ModelError(
                f"{self._server.identity()} gave a vector without a direction: set [models] embedder to another model"
            )
        return np.asarray(vectors / lengths)


def _answer(server: EmbeddingServer, texts: Sequence[str]) -> list[Sequence[float]]:
    """One vector for each text. If the server refuses them, each is sent alone, then its first half, and so on."""
    try:
        return list(server.vectors(texts))
    except RefusedTextError:
        if len(texts) > 1:
            return [vector for text in texts for vector in _answer(server, [text])]
        if len(texts[0]) <= SHORTEST:
            raise
        return _answer(server, [texts[0][: len(texts[0]) // 2]])
