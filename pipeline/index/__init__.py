"""Chunks to Chroma and a keyword index beside it: sync, search, status."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.content.documents import Chunk, Document, FileReport
from pipeline.content.recipe import recipe
from pipeline.index.index import Index
from pipeline.settings import Settings

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

    from pipeline.content.memory import ReadMemory
    from pipeline.embedding.embedder import Embedder
    from pipeline.embedding.reranker import Reranker

__all__ = ["Index", "open_index"]


def open_index(settings: Settings, memory: "ReadMemory | None" = None) -> Index:
    """The index of the site that `settings` describe. Cheap: models and Chroma wait until they are needed.

    `memory`, handed in each time, spares a sync the reading of files that did not change since the last one.
    """

    # Imported where they are used: a search by keyword then loads no parser, no runtime and no client.
    def read() -> Iterator[FileReport]:
        from pipeline.content import read_sources

        return read_sources(settings, memory)

    def cut(document: Document) -> list[Chunk]:
        from pipeline.content.chunking import chunker

        return chunker(settings.index, lambda texts: embedder().embed(texts))(document)

    def vectors() -> "ClientAPI":
        from pipeline.processes.vectors import connect

        return connect(settings)

    def embedder() -> "Embedder":
        from pipeline.embedding.embedder import load_embedder

        return load_embedder(settings)

    def former(spec: str) -> "Embedder":
        from pipeline.embedding.embedder import load_former

        return load_former(spec, settings)

    def reranker() -> "Reranker":
        from pipeline.embedding.reranker import load_reranker

        return load_reranker(settings)

    return Index(
        settings.state / "index.db",
        read=read,
        cut=cut,
        vectors=vectors,
        embedder=embedder,
        former=former,
        retrieval=settings.retrieval,
        reranker=reranker if settings.retrieval.rerank else None,
        recipe=recipe(settings.index, settings.models.embedder),
    )
