"""Content to index. First SQLite, one transaction a document; then Chroma is brought to what SQLite says.

Ended at any moment, the next sync goes on from there: what Chroma still lacks and what it must still forget stand in
SQLite from the transaction on that made it so.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pipeline.content.documents import Chunk, Document, FileReport
from pipeline.errors import StaleIndexError
from pipeline.index import generations, store
from pipeline.index.database import Database
from pipeline.index.dense import VISIBILITIES, VectorStore
from pipeline.index.generations import Generation, PendingChunk
from pipeline.index.passages import SyncReport

if TYPE_CHECKING:
    from pipeline.embedding.embedder import Embedder

BATCH = 128
"""Chunks in one step of embedding, storing and marking."""

VANISHED_AT_ONCE = 10
"""A source of so many documents that is an empty folder now is taken for one that is not mounted."""

Progress = Callable[[int, int, str], None]
"""Called with (done, total, unit); unit is `files` (total 0: not known) or `chunks`."""

Overtake = Callable[[], Set[str]]
"""Brings SQLite to what changed since a long sync began; gives the ids of these documents."""


def sync_documents(
    database: Database,
    reports: Iterable[FileReport],
    cut: Callable[[Document], list[Chunk]],
    recipe: str,
    report: SyncReport,
    progress: Progress,
    *,
    keep_vanished: bool = True,
    overtake: Overtake = lambda: frozenset(),
) -> None:
    """Brings SQLite to what the sources hold and counts it in `report`.

    `recipe` names all that shapes a document's chunks and keywords beside its text. A document is removed when its
    file is gone or can't be read (it may have turned private); a folder that can't be read keeps its documents, and so
    does, with `keep_vanished`, one that looks as if its disk were not mounted.
    """
    with database.writing() as connection:  # makes the file where there is none
        known = store.known_documents(connection)
    seen: list[FileReport] = []
    overtaken: set[str] = set()
    for seen_count, file in enumerate(reports, 1):
        if keep_vanished and file.id.endswith("/") and file.state == "skipped":
            file = _unless_vanished(file, known)
        seen.append(file)
        if file.document is not None:
            kind = _sync_document(database, file, file.document, known.get(file.id), cut, recipe)
            setattr(report, kind, getattr(report, kind) + 1)
        elif file.state == "failed":
            report.failed += 1
        else:
            report.skipped += 1
        progress(seen_count, 0, "files")
        overtaken |= overtake()
    unread = tuple(file.id for file in seen if file.state == "failed" and file.id.endswith("/"))
    gone = known.keys() - {file.id for file in seen if file.document is not None} - overtaken
    kept = {id for id in gone if id.startswith(unread)} | overtaken
    _remove_documents(database, gone - kept, report)
    with database.writing() as connection:
        store.record_files(connection, [file for file in seen if file.id not in overtaken], kept)


def sync_changed(
    database: Database,
    files: Sequence[FileReport],
    cut: Callable[[Document], list[Chunk]],
    recipe: str,
    report: SyncReport,
) -> None:
    """Brings SQLite to what the reports of single files say, as `sync_documents` does with those of all."""
    with database.writing() as connection:
        known = store.known_documents(connection, [file.id for file in files])
    for file in files:
        if file.document is not None:
            kind = _sync_document(database, file, file.document, known.pop(file.id, None), cut, recipe)
            setattr(report, kind, getattr(report, kind) + 1)
    _remove_documents(database, known, report)
    with database.writing() as connection:
        store.record_changed(connection, files)
    states = Counter(file.state for file in files)
    report.skipped += states["skipped"]
    report.failed += states["failed"]


def _unless_vanished(folder: FileReport, known: Iterable[str]) -> FileReport:
    """The report of a folder without any file as `failed`, so that its documents stay, if there were many."""
    count = sum(id.startswith(folder.id) for id in known)
    if count < VANISHED_AT_ONCE:
        return folder
    reason = (
        f"an empty folder that held {count} documents, which are kept: mount its disk again, or run "
        "`sitetwin index --rebuild` if they are really gone"
    )
    return replace(folder, state="failed", reason=reason)


def _remove_documents(database: Database, ids: Iterable[str], report: SyncReport) -> None:
    for id in sorted(ids):
        with database.writing() as connection:
            store.remove_document(connection, id)
        report.removed += 1


def _sync_document(
    database: Database,
    file: FileReport,
    document: Document,
    known: tuple[str, str] | None,
    cut: Callable[[Document], list[Chunk]],
    recipe: str,
) -> str:
    if known == (document.digest, recipe):
        return "unchanged"
    chunks = cut(document)
    with database.writing() as connection:
        store.put_document(connection, document, chunks, recipe)
        store.record_file(connection, file)
    return "changed" if known else "added"


def sync_vectors(
    database: Database,
    vectors: VectorStore,
    embedder: "Embedder",
    report: SyncReport,
    progress: Progress,
    *,
    trusting: bool = False,
    overtake: Overtake = lambda: frozenset(),
) -> None:
    """Brings Chroma to what SQLite says and counts it in `report`.

    `trusting` takes Chroma to hold all that it was given before, and does not ask.

    Raises:
        StaleIndexError: the index was made with another embedder.
        ServiceError: Chroma can't be reached.
    """
    generation = _generation(database, vectors, embedder)
    if not trusting:
        vectors.create(generation.number)
        _forget(database, vectors, generation, report)
    _embed_pending(database, vectors, embedder, generation, report, progress, overtake)
    if trusting:  # what is new is searched for; what Chroma has yet to forget is found by nobody
        _forget(database, vectors, generation, report)
    elif _mend(database, vectors, generation):
        _embed_pending(database, vectors, embedder, generation, report, progress, overtake)
    with database.writing() as connection:
        if generation.state == "building":
            generations.activate(connection, generation.number)
        retired = generations.generations(connection, "retired")
    for old in retired:
        vectors.drop(old.number)
        with database.writing() as connection:
            generations.remove(connection, old.number)


def begin_generation(database: Database, vectors: VectorStore, embedder: "Embedder") -> Generation:
    with database.reading() as connection:
        number = generations.next_number(connection)
    vectors.drop(number)  # left over from a state directory whose SQLite file was removed
    with database.writing() as connection:
        return generations.begin(connection, number, embedder.name, embedder.dimension, embedder.spec)


def _generation(database: Database, vectors: VectorStore, embedder: "Embedder") -> Generation:
    with database.reading() as connection:
        generation = generations.target(connection)
    if generation is None or (generation.state == "building" and generation.embedder != embedder.name):
        return begin_generation(database, vectors, embedder)
    check_embedder(generation, embedder)
    return generation


def check_embedder(generation: Generation, embedder: "Embedder") -> None:
    if (generation.embedder, generation.dimension) != (embedder.name, embedder.dimension):
        raise StaleIndexError(
            f"the index was made with embedder {generation.embedder}, the settings name {embedder.name}: "
            "run `sitetwin index --rebuild`, or name the former again"
        )


def _forget(database: Database, vectors: VectorStore, generation: Generation, report: SyncReport) -> None:
    for visibility in VISIBILITIES:
        with database.reading() as connection:
            dead = generations.tombstones(connection, visibility)
        if dead:
            vectors.delete(generation.number, visibility, dead)
            with database.writing() as connection:
                generations.bury(connection, visibility, dead)
            report.chunks_deleted += len(dead)


def _embed_pending(
    database: Database,
    vectors: VectorStore,
    embedder: "Embedder",
    generation: Generation,
    report: SyncReport,
    progress: Progress,
    overtake: Overtake,
) -> None:
    """Whenever `overtake` changed something, what is pending is asked for anew."""
    pending, done = _pending(database, generation), 0
    while done < len(pending):
        batch = pending[done : done + BATCH]
        known, made = _vectors_of(database, embedder, generation, batch)
        for visibility in VISIBILITIES:
            part = [chunk for chunk in batch if chunk.visibility == visibility]
            if part:
                rows = np.stack([known[chunk.digest] for chunk in part])
                vectors.upsert(generation.number, visibility, [chunk.id for chunk in part], rows)
        with database.writing() as connection:
            generations.mark_embedded(connection, generation.number, batch, made)
        report.chunks_embedded += len(made)
        done += len(batch)
        progress(done, len(pending), "chunks")
        if overtake():
            _forget(database, vectors, generation, report)
            pending, done = _pending(database, generation), 0


def _pending(database: Database, generation: Generation) -> list[PendingChunk]:
    with database.reading() as connection:
        return generations.pending(connection, generation.number)


def _vectors_of(
    database: Database, embedder: "Embedder", generation: Generation, batch: Sequence[PendingChunk]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """All vectors of `batch` by digest, and those of them that were made now."""
    with database.reading() as connection:
        known = generations.stored_vectors(connection, generation.number, [chunk.digest for chunk in batch])
        unknown = {chunk.digest: chunk.id for chunk in batch if chunk.digest not in known}
        texts = generations.indexed_texts(connection, list(unknown.values()))
    if not unknown:
        return known, {}
    embedded = embedder.embed([texts[id] for id in unknown.values()])
    made = dict(zip(unknown, embedded, strict=True))
    return known | made, made


def _mend(database: Database, vectors: VectorStore, generation: Generation) -> bool:
    """Marks what Chroma lost and removes what it should not have; True when something is to be stored again."""
    lost = False
    for visibility in VISIBILITIES:
        with database.reading() as connection:
            count = generations.chunk_count(connection, visibility)
        if vectors.count(generation.number, visibility) == count:
            continue
        stored = vectors.ids(generation.number, visibility)
        with database.writing() as connection:
            expected = generations.chunk_ids(connection, visibility)
            missing = sorted(expected - stored)
            generations.mark_missing(connection, missing)
        vectors.delete(generation.number, visibility, sorted(stored - expected))
        lost = lost or bool(missing)
    return lost
