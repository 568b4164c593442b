"""The second half of a sync: Chroma gets the vectors that SQLite says it lacks, and forgets those of removed chunks."""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.index import generations
from pipeline.index.database import Database
from pipeline.index.dense import VISIBILITIES, VectorStore
from pipeline.index.generations import Generation, PendingChunk, check_embedder
from pipeline.index.passages import SyncReport

if TYPE_CHECKING:
    from pipeline.embedding.embedder import Embedder

BATCH = 128
"""Chunks that are embedded, stored and marked in one step."""

SyncProgress = Callable[[int, int, str], None]
"""Called with (done, total, unit). The unit is `files` (total 0: not known) or `chunks`."""


def generation_to_fill(database: Database, vectors: VectorStore, embedder: "Embedder") -> Generation:
    """The generation that the sync fills; a new one if there is none, or if another embedder's is half built.

    Raises:
        StaleIndexError: the index was made with another embedder.
        ServiceError: Chroma can't be reached.
    """
    with database.reading() as connection:
        generation = generations.target(connection)
    if generation is None or (generation.state == "building" and generation.embedder != embedder.name):
        return begin_generation(database, vectors, embedder)
    check_embedder(generation, embedder)
    return generation


def begin_generation(database: Database, vectors: VectorStore, embedder: "Embedder") -> Generation:
    """A new, empty generation of this embedder.

    Raises:
        ServiceError: Chroma can't be reached.
    """
    with database.reading() as connection:
        number = generations.next_number(connection)
    vectors.drop(number)  # left over from a state directory whose SQLite file was removed
    with database.writing() as connection:
        return generations.begin(connection, number, embedder.name, embedder.dimension, embedder.spec)


@dataclass(frozen=True, kw_only=True)
class VectorSync:
    """Makes Chroma hold what SQLite says of one generation, and counts in `report` what was done."""

    database: Database
    vectors: VectorStore
    embedder: "Embedder"
    generation: Generation
    report: SyncReport
    progress: SyncProgress
    overtake: Callable[[], Set[str]]
    """Brings SQLite up to date with the files that changed meanwhile; returns their ids."""

    def run(self, *, trusting: bool) -> None:
        """`trusting`: assume that Chroma still holds everything that it was given before, and do not check.

        Raises:
            ServiceError: Chroma can't be reached.
        """
        if trusting:
            # New chunks first: searches wait for them. No search returns a chunk that Chroma has yet to delete.
            self._embed_pending()
            self._forget()
        else:
            self.vectors.create(self.generation.number)
            self._forget()
            self._embed_pending()
            if self._mend():
                self._embed_pending()
        self._activate()

    def _activate(self) -> None:
        """Lets searches use the generation, and removes those that it replaces."""
        with self.database.writing() as connection:
            if self.generation.state == "building":
                generations.activate(connection, self.generation.number)
            retired = generations.generations(connection, "retired")
        for old in retired:
            self.vectors.drop(old.number)
            with self.database.writing() as connection:
                generations.remove(connection, old.number)

    def _forget(self) -> None:
        """Deletes from Chroma the vectors of the chunks that SQLite no longer has."""
        for visibility in VISIBILITIES:
            with self.database.reading() as connection:
                dead = generations.tombstones(connection, visibility)
            if dead:
                self.vectors.delete(self.generation.number, visibility, dead)
                with self.database.writing() as connection:
                    generations.bury(connection, visibility, dead)
                self.report.chunks_deleted += len(dead)

    def _embed_pending(self) -> None:
        """Embeds what is pending, batch by batch. It looks again whenever `overtake` changed something."""
        pending, done = self._pending(), 0
        while done < len(pending):
            batch = pending[done : done + BATCH]
            self._embed(batch)
            done += len(batch)
            self.progress(done, len(pending), "chunks")
            if self.overtake():
                self._forget()
                pending, done = self._pending(), 0

    def _pending(self) -> list[PendingChunk]:
        with self.database.reading() as connection:
            return generations.pending(connection, self.generation.number)

    def _embed(self, batch: Sequence[PendingChunk]) -> None:
        known, made = self._vectors_of(batch)
        for visibility in VISIBILITIES:
            part = [chunk for chunk in batch if chunk.visibility == visibility]
            if part:
                rows = np.stack([known[chunk.digest] for chunk in part])
                self.vectors.upsert(self.generation.number, visibility, [chunk.id for chunk in part], rows)
        with self.database.writing() as connection:
            generations.mark_embedded(connection, self.generation.number, batch, made)
        self.report.chunks_embedded += len(made)

    def _vectors_of(self, batch: Sequence[PendingChunk]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Two tables of vectors (dimension,) float32 by digest: all of the batch, and those that were made now."""
        with self.database.reading() as connection:
            digests = [chunk.digest for chunk in batch]
            known = generations.stored_vectors(connection, self.generation.number, digests)
            unknown = {chunk.digest: chunk.id for chunk in batch if chunk.digest not in known}
            texts = generations.indexed_texts(connection, list(unknown.values()))
        if not unknown:
            return known, {}
        embedded = self.embedder.embed([texts[id] for id in unknown.values()])
        made = dict(zip(unknown, embedded, strict=True))
        return known | made, made

    def _mend(self) -> bool:
        """Marks the chunks that Chroma has lost as pending, and deletes those that it should not have.

        Returns:
            Whether Chroma had lost any.
        """
        number, lost = self.generation.number, False
        for visibility in VISIBILITIES:
            with self.database.reading() as connection:
                count = generations.chunk_count(connection, visibility)
            if self.vectors.count(number, visibility) == count:
                continue
            stored = self.vectors.ids(number, visibility)
            with self.database.writing() as connection:
                expected = generations.chunk_ids(connection, visibility)
                missing = sorted(expected - stored)
                generations.mark_missing(connection, missing)
            self.vectors.delete(number, visibility, sorted(stored - expected))
            lost = lost or bool(missing)
        return lost
