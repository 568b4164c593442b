"""The index as one object: `sync` brings it up to date, `search` asks it."""

import time
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Self

from filelock import FileLock, Timeout

from pipeline.content.documents import Chunk, Document, FileReport
from pipeline.errors import SitetwinError, StaleIndexError
from pipeline.index import generations, keywords, status, store
from pipeline.index.database import Database
from pipeline.index.dense import VectorStore
from pipeline.index.filters import Filters
from pipeline.index.freshness import Reread
from pipeline.index.lists import ListRequest
from pipeline.index.passages import DocumentCounts, DocumentEntry, FileStatus, SearchResult, SyncReport
from pipeline.index.search import Searcher
from pipeline.index.sync import Sync
from pipeline.index.vector_sync import SyncProgress, begin_generation
from pipeline.settings import Retrieval, RetrievalSettings, Visibility
from pipeline.text import tokens

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

    from pipeline.embedding.embedder import Embedder
    from pipeline.embedding.reranker import Reranker

LOCK_SECONDS = 30


class Index:
    """The index of one site. Any thread may use it. Several processes may search it; one at a time may sync it.

    Nothing is opened, loaded or started before it is needed.

    Args:
        path: the SQLite file.
        read: returns the reports of all files that the content sources hold now.
        cut: cuts a document into chunks.
        vectors: returns a client of Chroma.
        embedder: returns the embedder that the settings name.
        former: returns the embedder that an index was made with, by its spec.
        reranker: returns the reranker; None if there is none.
        recipe: names how documents are cut. If it changes, all documents are cut again.
        reread: returns the reports of these files. Searches ask it for files that changed since the last sync; None: what
            a changed file held is not found until the next sync.
    """

    def __init__(
        self,
        path: Path,
        *,
        read: Callable[[], Iterable[FileReport]],
        cut: Callable[[Document], list[Chunk]],
        vectors: "Callable[[], ClientAPI]",
        embedder: "Callable[[], Embedder]",
        former: "Callable[[str], Embedder] | None" = None,
        retrieval: RetrievalSettings,
        reranker: "Callable[[], Reranker] | None" = None,
        recipe: str = "",
        reread: Reread | None = None,
    ) -> None:
        self._database = Database(path)
        self._read = read
        self._cut = cut
        self._vectors = VectorStore(vectors)
        self._embedder = embedder
        self._former = former or (lambda spec: embedder())
        self._reranker = reranker
        self._retrieval = retrieval
        self._reread = reread
        self._recipe = f"{recipe} tokens={tokens.VERSION}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the database."""
        self._database.close()

    @property
    def _dense(self) -> bool:
        return self._retrieval.mode != "keyword"

    def sync(
        self,
        progress: SyncProgress | None = None,
        *,
        rebuild: bool = False,
        wait_seconds: float = LOCK_SECONDS,
        changed: Iterable[FileReport] | None = None,
        meanwhile: Callable[[], Iterable[FileReport]] = tuple,
    ) -> SyncReport:
        """Brings the index up to date with the sources. An index of an older version of sitetwin is made anew.

        Args:
            progress: is told how far the sync is.
            rebuild: cut and embed everything again. The old index answers searches until the new one is complete.
            wait_seconds: how long to wait while another sync runs.
            changed: the only files to look at, if no other file can have changed since the last sync.
            meanwhile: returns the files that changed since its last call. It is called often. So a note that is hidden
                or deleted while thousands of notes are embedded is no longer found.

        Raises:
            SitetwinError: another sync still runs after `wait_seconds`, or the index can't be written.
            StaleIndexError: the index was made with another embedder, and `rebuild` is False.
            ModelError, ServiceError: the embedder or Chroma can't be had. SQLite keeps what it got.
        """
        started = time.perf_counter()
        sync = Sync(
            database=self._database,
            vector_store=self._vectors,
            embedder=self._embedder,
            cut=self._cut,
            recipe=self._recipe,
            progress=progress or (lambda done, total, unit: None),
            meanwhile=meanwhile,
        )
        report = sync.report
        with self._alone(wait_seconds):
            report.rebuilt = not rebuild and self._database.is_outdated()
            if report.rebuilt or rebuild:
                self._begin_rebuild()
            if report.rebuilt:
                changed = None  # a new index needs every file
            if changed is None:
                sync.documents(self._read(), keep_vanished=not rebuild)
            else:
                sync.changed(changed)
            if self._dense:
                sync.vectors(trusting=changed is not None)
        report.seconds = round(time.perf_counter() - started, 3)
        return report

    def search(
        self,
        query: str,
        k: int | None = None,
        retrieval: Retrieval | None = None,
        visibility: Visibility | None = None,
        filters: Filters | None = None,
        explain: bool = False,
        *,
        align: bool = False,
        sentences: bool = True,
    ) -> SearchResult:
        """The best `k` passages, best first. The settings decide what is None.

        Args:
            visibility: None: public and private passages.
            explain: also explain each stage. The explanation names nothing that `visibility` hides.
            align: whether the words of the query may be compared with those of the best passages, for a list that is
                read from its top. Answers, which read every passage found, gained nothing by it.
            sentences: whether single sentences of the best passages may be compared with the query, where the cosines of
                the embedder lie close together. Each is embedded, which takes longer than all else.

        Raises:
            SitetwinError: the query is empty.
            StaleIndexError: nothing is indexed yet, or with another embedder.
            ModelError: the embedder or the reranker can't be had.
            ServiceError: Chroma can't be reached. The retrieval `keyword` needs neither Chroma nor the embedder.
        """
        k = k or self._retrieval.passages
        request = ListRequest(
            query=query,
            retrieval=retrieval or self._retrieval.mode,
            k=k,
            candidates=max(k, self._retrieval.candidates),
            visibility=visibility,
            filters=filters or Filters(),
            fusion=self._retrieval.fusion,
            rerank_candidates=self._retrieval.rerank_candidates,
            align=align and self._retrieval.align,
            sentences=sentences and self._retrieval.align,
            explain=explain,
        )
        searcher = Searcher(
            self._database, self._vectors, self._searched_embedder, self._cut, self._reranker, self._reread
        )
        try:
            return searcher.search(request)
        except StaleIndexError:  # once more: a rebuild may have replaced the index during the search
            return searcher.search(request)

    def status(self) -> tuple[DocumentCounts, list[FileStatus]]:
        """The counts and the state of each file; empty if nothing was ever indexed."""
        if not self._database.path.exists():
            return DocumentCounts(), []
        with self._database.reading() as connection:
            return status.file_states(connection, self._dense)

    def documents(self, visibility: Visibility | None = None) -> list[DocumentEntry]:
        """The documents, by id; empty if nothing was ever indexed. `visibility` None: public and private."""
        if not self._database.path.exists():
            return []
        with self._database.reading() as connection:
            return status.document_entries(connection, visibility)

    def digests(self) -> dict[str, str]:
        """A hash of each document's content by its id; {} if nothing was ever indexed, or by an older version."""
        if not self._database.path.exists() or self._database.is_outdated():
            return {}
        with self._database.reading() as connection:
            return {id: digest for id, (digest, _) in store.known_documents(connection).items()}

    def fingerprint(self) -> str:
        """A hash of what is indexed: it changes with each document, its visibility, and how documents are cut."""
        if not self._database.path.exists():
            return ""
        with self._database.reading() as connection:
            return store.fingerprint(connection)

    def languages(self) -> dict[str, int]:
        """How many documents are in each language, by ISO 639-1 code, most first; {} if nothing was ever indexed."""
        if not self._database.path.exists():
            return {}
        with self._database.reading() as connection:
            return keywords.languages(connection, None)

    def days(self, visibility: Visibility | None = None) -> set[date]:
        """The days that documents are of. `visibility` None: public and private.

        Raises:
            StaleIndexError: nothing is indexed yet.
        """
        with self._database.reading() as connection:
            return status.document_days(connection, visibility)

    def embedder_name(self) -> str | None:
        """The name of the embedder that made the searched vectors; None before the first sync with vectors."""
        return generations.embedder_name(self._database)

    def _searched_embedder(self) -> "Embedder":
        """The embedder of the searched index. It differs from the named one while a rebuild changes the embedder."""
        named = self._embedder()
        with self._database.reading() as connection:
            active = generations.generations(connection, "active")
            building = generations.generations(connection, "building")
        return self._former(active[0].spec) if building and active[0].spec != named.spec else named

    def _begin_rebuild(self) -> None:
        try:
            self._database.check()
        except StaleIndexError:  # damaged, or another version's tables: nothing in it can be kept
            self._database.remove()
        with self._database.writing() as connection:
            store.forget_recipes(connection)
        if self._dense:
            begin_generation(self._database, self._vectors, self._embedder())

    def _alone(self, wait_seconds: float) -> FileLock:
        path = self._database.path
        lock = FileLock(path.with_suffix(".lock"), timeout=wait_seconds)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise SitetwinError(
                "another sync of this index is running: wait until it is done, `sitetwin status` shows how far it is"
            ) from None
        except OSError as error:
            raise SitetwinError(
                f"the index can't be kept in {path.parent} ({error}): mend that and run it again"
            ) from error
        return lock
