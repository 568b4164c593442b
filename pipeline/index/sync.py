"""One sync: content to index. SQLite comes first, one transaction for each document; then Chroma follows SQLite.

A sync may be killed at any moment: the next one goes on from there. The transaction that changes a document also
records in SQLite what Chroma still lacks and what it still has to delete.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pipeline.content.documents import Chunk, Document, FileReport
from pipeline.index import store
from pipeline.index.database import Database
from pipeline.index.dense import VectorStore
from pipeline.index.passages import SyncReport
from pipeline.index.vector_sync import SyncProgress, VectorSync, generation_to_fill

if TYPE_CHECKING:
    from pipeline.embedding.embedder import Embedder

VANISHED_AT_ONCE = 10
"""When a source held at least this many documents and is an empty folder now, its disk is probably not mounted."""


@dataclass(frozen=True, kw_only=True)
class Sync:
    """One sync of an index; each method does one part of it and counts in `report` what it did."""

    database: Database
    vector_store: VectorStore
    embedder: "Callable[[], Embedder]"
    cut: Callable[[Document], list[Chunk]]
    recipe: str
    """Names everything beside its text that determines a document's chunks and keywords."""
    progress: SyncProgress
    meanwhile: Callable[[], Iterable[FileReport]]
    """Gives the files that changed since the last call."""
    report: SyncReport = field(default_factory=SyncReport)

    def documents(self, files: Iterable[FileReport], *, keep_vanished: bool = True) -> None:
        """Makes SQLite hold what the sources hold.

        A document is removed when its file is gone or can't be read, because the file may have become private. The
        documents of a folder that can't be read are kept.

        Args:
            files: the reports of all files of all sources.
            keep_vanished: also keep the documents of a folder that looks as if its disk were not mounted.

        Raises:
            SitetwinError: the index can't be written.
        """
        with self.database.writing() as connection:  # makes the file where there is none
            known = store.known_documents(connection)
        seen: list[FileReport] = []
        overtaken: set[str] = set()
        for count, file in enumerate(files, 1):
            if keep_vanished and file.id.endswith("/") and file.state == "skipped":
                file = _unless_vanished(file, known)
            seen.append(file)
            self._take(file, known)
            self.progress(count, 0, "files")
            overtaken |= self.overtake()
        unread = tuple(file.id for file in seen if file.state == "failed" and file.id.endswith("/"))
        gone = known.keys() - {file.id for file in seen if file.document is not None} - overtaken
        kept = {id for id in gone if id.startswith(unread)} | overtaken
        self._remove(gone - kept)
        with self.database.writing() as connection:
            store.record_files(connection, [file for file in seen if file.id not in overtaken], kept)

    def changed(self, files: Iterable[FileReport]) -> set[str]:
        """Makes SQLite hold what these files hold; the documents of all other files stay as they are.

        Returns:
            The ids of the files.

        Raises:
            SitetwinError: the index can't be written.
        """
        reports = list(files)
        if reports:
            with self.database.writing() as connection:
                known = store.known_documents(connection, [file.id for file in reports])
            for file in reports:
                self._take(file, known)
            self._remove(known.keys() - {file.id for file in reports if file.document is not None})
            with self.database.writing() as connection:
                store.record_changed(connection, reports)
        return {file.id for file in reports}

    def overtake(self) -> set[str]:
        """Does `changed` with the files that changed while this sync ran."""
        return self.changed(self.meanwhile())

    def vectors(self, *, trusting: bool = False) -> None:
        """Makes Chroma hold what SQLite says.

        Args:
            trusting: assume that Chroma still holds everything that it was given before, and do not check.

        Raises:
            StaleIndexError: the index was made with another embedder.
            ModelError: the embedder can't be had.
            ServiceError: Chroma can't be reached.
        """
        embedder = self.embedder()
        VectorSync(
            database=self.database,
            vectors=self.vector_store,
            embedder=embedder,
            generation=generation_to_fill(self.database, self.vector_store, embedder),
            report=self.report,
            progress=self.progress,
            overtake=self.overtake,
        ).run(trusting=trusting)

    def _take(self, file: FileReport, known: Mapping[str, tuple[str, str]]) -> None:
        """Stores what one report says. `known`: digest and recipe by document id."""
        if file.document is None:
            self.report.failed += file.state == "failed"
            self.report.skipped += file.state == "skipped"
            return
        before = known.get(file.id)
        if before == (file.document.digest, self.recipe):
            self.report.unchanged += 1
            return
        chunks = self.cut(file.document)
        with self.database.writing() as connection:
            store.put_document(connection, file.document, chunks, self.recipe)
            store.record_file(connection, file)
        if before:
            self.report.changed += 1
        else:
            self.report.added += 1

    def _remove(self, documents: Iterable[str]) -> None:
        for id in sorted(documents):
            with self.database.writing() as connection:
                store.remove_document(connection, id)
            self.report.removed += 1


def _unless_vanished(folder: FileReport, known: Iterable[str]) -> FileReport:
    """The report of a folder without any file. It becomes `failed` if the folder held many documents: they stay."""
    count = sum(id.startswith(folder.id) for id in known)
    if count < VANISHED_AT_ONCE:
        return folder
    reason = (
        f"an empty folder that held {count} documents, which are kept: mount its disk again, or run "
        "`sitetwin index --rebuild` if they are really gone"
    )
    return replace(folder, state="failed", reason=reason)
