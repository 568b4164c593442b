"""The vectors of a text's tokens, and where in the text each token stands."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from tokenizers import Encoding


class TokenVectors(NamedTuple):
    """The tokens of one text, in order, without the model's special ones."""

    spans: np.ndarray
    """(tokens, 2) int64: the characters of each token, from the first to behind the last."""
    vectors: np.ndarray
    """(tokens, 2 * width) float32, rows of length 1, as `bert.encoder` describes them."""


ReadTokens = Callable[[Sequence[str]], Sequence[TokenVectors] | None]
"""Gives the vectors of the tokens of texts; None if they can't be had."""


@runtime_checkable
class TokenModel(Protocol):
    """A model that runs here, so that it can tell more than one vector of a text."""

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """The vectors of each text's tokens. What is past the model's limit is cut."""


def of_tokens(encoding: "Encoding", vectors: np.ndarray) -> TokenVectors:
    """The vectors (tokens, 2 * width) of one text without those of its special tokens."""
    kept = [place for place, special in enumerate(encoding.special_tokens_mask) if not special]
    return TokenVectors(np.array(encoding.offsets, np.int64).reshape(-1, 2)[kept], vectors[kept])
