"""The index as one object: kept up by `sync`, asked by `search`."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Self

from filelock import FileLock, Timeout

from pipeline.content.documents import Chunk, Document, FileReport
from pipeline.errors import SitetwinError, StaleIndexError
from pipeline.index import generations, status, store
from pipeline.index.database import Database
from pipeline.index.dense import VectorStore
from pipeline.index.filters import Filters
from pipeline.index.lists import Request
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
    """Any thread may use it; several processes may search it, and one at a time syncs.

    Nothing is opened, loaded or started before it is needed. `vectors` gives a client of Chroma, `embedder` the
    embedder, `former` one that the index was made with, by its spec, `read` all that the content sources hold now, `cut`
    a document's chunks, `reranker` what orders the best passages anew, if that is wanted; `recipe` names how documents
    are cut.
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
    ) -> None:
        self._database = Database(path)
        self._read = read
        self._cut = cut
        self._vectors = VectorStore(vectors)
        self._embedder = embedder
        self._former = former or (lambda spec: embedder())
        self._reranker = reranker
        self._retrieval = retrieval
        self._recipe = f"{recipe} tokens={tokens.VERSION}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
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
        """Brings the index to what the sources hold now; an index of an older version of sitetwin is made anew.

        Args:
            rebuild: everything is cut and embedded again, beside what there is, which answers searches meanwhile.
            changed: the only files to look at, when no other can have changed since the last sync.
            meanwhile: gives the files that changed since the last call; asked often, so that a note which is hidden or
                deleted while thousands are embedded is not found from then on.

        Raises:
            SitetwinError: another sync still runs after `wait_seconds`, or the index can't be written.
            StaleIndexError: the index was made with another embedder, and `rebuild` is not asked.
            ModelError, ServiceError: the embedder or Chroma can't be had. What SQLite got is kept.
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
    ) -> SearchResult:
        """The best `k` passages, best first; what is not given comes from the settings, `visibility` None is both.

        `explain` has each stage say what it did, and names nothing that `visibility` hides.

        Raises:
            SitetwinError: the query is empty.
            StaleIndexError: nothing is indexed yet, or with another embedder.
            ModelError: the embedder or the reranker can't be had.
            ServiceError: Chroma can't be reached. `keyword` asks neither it nor the embedder.
        """
        k = k or self._retrieval.passages
        request = Request(
            query=query,
            retrieval=retrieval or self._retrieval.mode,
            k=k,
            candidates=max(k, self._retrieval.candidates),
            visibility=visibility,
            filters=filters or Filters(),
            fusion=self._retrieval.fusion,
            rerank_candidates=self._retrieval.rerank_candidates,
            explain=explain,
        )
        searcher = Searcher(self._database, self._vectors, self._searched_embedder, self._reranker)
        try:
            return searcher.search(request)
        except StaleIndexError:  # once more: a rebuild may have replaced the index during the search
            return searcher.search(request)

    def status(self) -> tuple[DocumentCounts, list[FileStatus]]:
        """What became of each file; nothing when nothing was ever indexed."""
        if not self._database.path.exists():
            return DocumentCounts(), []
        with self._database.reading() as connection:
            return status.file_states(connection, self._dense)

    def documents(self, visibility: Visibility | None = None) -> list[DocumentEntry]:
        """Id, title and address of each document, by id; nothing when nothing was ever indexed."""
        if not self._database.path.exists():
            return []
        with self._database.reading() as connection:
            return status.document_entries(connection, visibility)

    def embedder_name(self) -> str | None:
        """Which embedder the searched vectors come from; None before the first one."""
        return generations.embedder_name(self._database)

    def _searched_embedder(self) -> "Embedder":
        """The embedder that the settings name; while an index is built with it, the one that the searched index has."""
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
