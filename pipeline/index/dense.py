"""The vectors in Chroma: one collection for public text and one for private text in each generation."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pipeline.errors import ServiceError, StaleIndexError
from pipeline.settings import Visibility

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

T = TypeVar("T")

VISIBILITIES: tuple[Visibility, ...] = ("public", "private")
PAGE = 2000
"""Ids in one request."""


class VectorStore:
    """The collections of all generations.

    `connect` is called before each operation, because the store may have been restarted on another port.
    """

    def __init__(self, connect: "Callable[[], ClientAPI]") -> None:
        self._connect = connect
        self._collections: dict[str, tuple[ClientAPI, Collection]] = {}
        self._threads = ThreadPoolExecutor(thread_name_prefix="vectors")

    def create(self, generation: int) -> None:
        """Creates the two collections of a generation if they are missing.

        Raises:
            ServiceError: Chroma can't be reached. All other methods raise it too.
        """
        for visibility in VISIBILITIES:
            self._create(_name(generation, visibility))

    def drop(self, generation: int) -> None:
        """Removes the two collections of a generation if they exist."""
        for visibility in VISIBILITIES:
            self._drop(_name(generation, visibility))

    def upsert(self, generation: int, visibility: Visibility, ids: Sequence[str], vectors: np.ndarray) -> None:
        """Stores vectors (len(ids), dimension) float32 under these chunk ids; replaces those that are there.

        Raises:
            StaleIndexError: the collection is gone.
        """
        self._on(generation, visibility, lambda collection: collection.upsert(ids=list(ids), embeddings=vectors))

    def delete(self, generation: int, visibility: Visibility, ids: Sequence[str]) -> None:
        """Deletes the vectors of these chunk ids. An id that is not there is no error."""
        for start in range(0, len(ids), PAGE):
            page = list(ids[start : start + PAGE])
            self._on(generation, visibility, partial(_delete, page))

    def count(self, generation: int, visibility: Visibility) -> int:
        """The number of vectors in a collection."""
        return self._on(generation, visibility, lambda collection: collection.count())

    def ids(self, generation: int, visibility: Visibility) -> set[str]:
        """The chunk ids of all vectors in a collection."""
        found: set[str] = set()
        while True:
            page = self._on(
                generation,
                visibility,
                lambda collection: collection.get(include=[], limit=PAGE, offset=len(found))["ids"],
            )
            found.update(page)
            if len(page) < PAGE:
                return found

    def ask_nearest(
        self, generation: int, visibilities: Sequence[Visibility], vector: np.ndarray, count: int
    ) -> Callable[[], dict[str, float]]:
        """Asks the collections of all `visibilities` at the same time, while the caller does something else.

        Args:
            vector: (dimension,) float32 of unit length.
            count: the most chunks that are wanted.

        Returns:
            A function that waits for the answer and returns the cosines by chunk id, best first.
        """
        asked = [self._threads.submit(self._nearest, generation, one, vector, count) for one in visibilities]

        def answer() -> dict[str, float]:
            found = [item for one in asked for item in one.result().items()]
            return dict(sorted(found, key=lambda item: -item[1])[:count])

        return answer

    def _nearest(self, generation: int, visibility: Visibility, vector: np.ndarray, count: int) -> dict[str, float]:
        found = self._on(
            generation,
            visibility,
            lambda collection: collection.query(
                query_embeddings=vector[None, :], n_results=count, include=["distances"]
            ),
        )
        distances = (found["distances"] or [[]])[0]
        return {id: 1 - distance for id, distance in zip(found["ids"][0], distances, strict=True)}

    def _on(self, generation: int, visibility: Visibility, action: "Callable[[Collection], T]") -> T:
        from chromadb.errors import NotFoundError

        name = _name(generation, visibility)
        try:
            return _retried(lambda: action(self._collection(name)))
        except NotFoundError:
            self._collections.pop(name, None)  # another process has replaced the collection since it was looked up
        try:
            return _retried(lambda: action(self._collection(name)))
        except NotFoundError:
            raise StaleIndexError("the vector store has lost this index: run `sitetwin index`") from None

    def _create(self, name: str) -> None:
        _retried(
            lambda: self._connect().get_or_create_collection(
                name, configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
            )
        )

    def _drop(self, name: str) -> None:
        from chromadb.errors import NotFoundError

        self._collections.pop(name, None)
        with suppress(NotFoundError):
            _retried(lambda: self._connect().delete_collection(name))

    def _collection(self, name: str) -> "Collection":
        client = self._connect()
        if (known := self._collections.get(name)) and known[0] is client:
            return known[1]
        collection = client.get_collection(name, embedding_function=None)
        self._collections[name] = (client, collection)
        return collection


def _name(generation: int, visibility: Visibility) -> str:
    return f"sitetwin-{visibility}-{generation}"


def _delete(ids: list[str], collection: "Collection") -> None:
    collection.delete(ids=ids)


def _retried(action: Callable[[], T]) -> T:
    """Does `action`, and once more if the connection fails.

    The store may have ended itself after its idle time since its address was looked up. Every request can be repeated.
    """
    import httpx

    try:
        return action()
    except httpx.TransportError:
        pass
    try:
        return action()
    except httpx.HTTPError as error:
        raise ServiceError(f"the vector store does not answer ({error!r}): run the command again") from error
