"""What an embedder told of texts a moment ago: the same sentences are read to search, to judge and to quote."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from pipeline.embedding.embedder import Embedder

T = TypeVar("T")


class Recent(Generic[T]):
    """What was told of the texts that were read last. Any thread may use it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[tuple[str, str], T] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, name: str, texts: Sequence[str], tell: Callable[[Sequence[str]], Sequence[T]]) -> list[T]:
        """What `tell` gives for each text; it is asked only for those that were not read lately.

        Args:
            name: the embedder's, on which the answers depend.
        """
        with self._lock:
            found = {text: self._known[name, text] for text in texts if (name, text) in self._known}
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        found |= zip(missing, tell(missing), strict=True) if missing else ()
        with self._lock:
            for text in texts:
                self._known[name, text] = found[text]
                self._known.move_to_end((name, text))
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return [found[text] for text in texts]


_vectors: Recent[np.ndarray] = Recent(most=512)
"""The sentences of some questions' passages, less than a megabyte."""


def embed_again(embedder: "Embedder", texts: Sequence[str]) -> np.ndarray:
    """The vectors (texts, dimension) of `texts`, as `embedder.embed` gives them. Any thread may call it."""
    found = _vectors.read(embedder.name, texts, lambda missing: list(embedder.embed(missing)))
    return np.stack(found) if found else embedder.embed([])
