"""One site with all its parts wired: each part that the settings name is made when it is first needed.

This is the one place that knows which part needs which. The rooms below take what they need as arguments. Jobs,
commands, components, the MCP server and the gateway ask a `Site`. It is cheap to make, so code that reads the settings
anew makes a new one. The methods import the rooms, so a keyword search loads no model runtime and no client.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from chromadb.api import ClientAPI

    from pipeline.chat.assistant import Assistant
    from pipeline.content.documents import Chunk, Document, FileReport
    from pipeline.content.memory import ReadMemory
    from pipeline.dataset.build import Built
    from pipeline.dataset.build_progress import BuildReport
    from pipeline.dataset.records import PairJudge, Teacher
    from pipeline.embedding.embedder import Embedder
    from pipeline.embedding.reranker import Reranker
    from pipeline.index.index import Index
    from pipeline.servers.client import EngineClient


class Site:
    """The parts of the site that `settings` describe."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def read(self, memory: "ReadMemory | None" = None) -> "Iterator[FileReport]":
        """Reports on each file below the sources, as `read_sources` does.

        Args:
            memory: what was read before; files that did not change are not read again.
        """
        from pipeline.content import read_sources

        return read_sources(self.settings, memory)

    def documents(self) -> "list[Document]":
        """All documents that can be read now, public and private."""
        return [report.document for report in self.read() if report.document]

    def cut(self, document: "Document") -> "list[Chunk]":
        """The chunks of `document`, made by the chunker that the settings name."""
        from pipeline.content.chunking import chunker

        return chunker(self.settings.index, self.embed)(document)

    def embedder(self) -> "Embedder":
        """The embedder that the settings name. Raises ModelError as `load_embedder` does."""
        from pipeline.embedding.embedder import load_embedder

        return load_embedder(self.settings)

    def former_embedder(self, spec: str) -> "Embedder":
        """The embedder that an index was made with. Raises ModelError as `load_former` does."""
        from pipeline.embedding.embedder import load_former

        return load_former(spec, self.settings)

    def embed(self, texts: Sequence[str]) -> "np.ndarray":
        """The unit vectors of `texts`, float32 (texts, dimension)."""
        return self.embedder().embed(texts)

    def similarity(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """How near each text is to the question in meaning: 1 for the same text, about 0 for one that has nothing to do with it.

        It is the cosine by the index's embedder, counted from what unrelated texts have.
        """
        from pipeline.embedding.recent import embed_again
        from pipeline.embedding.spread import unrelated_cosine

        embedder = self.embedder()
        unrelated = unrelated_cosine(embedder.name)
        cosines = embed_again(embedder, texts) @ embedder.embed_query(question)
        return [(float(cosine) - unrelated) / (1 - unrelated) for cosine in cosines]

    def reranker(self) -> "Reranker":
        """The reranker that the settings name. Raises ModelError as `load_reranker` does."""
        from pipeline.embedding.reranker import load_reranker

        return load_reranker(self.settings)

    def vectors(self) -> "ClientAPI":
        """A client of the vector store, which is started if needed. Raises ServiceError if it can't be started."""
        from pipeline.processes.vectors import connect

        return connect(self.settings)

    def engine(self, adapter: str | None = None) -> "EngineClient":
        """A client of the model that answers under `adapter`. Raises ServiceError if the engine can't be started."""
        from pipeline.processes import engine

        return engine.connect(self.settings, adapter)

    def index(self, memory: "ReadMemory | None" = None) -> "Index":
        """The site's index. Its models and the vector store are loaded when they are needed.

        Args:
            memory: keep it and hand it in each time; a sync then reads only the files that changed since the last one.
        """
        from pipeline.content import read_changed
        from pipeline.content.recipe import recipe
        from pipeline.index.index import Index

        settings = self.settings
        return Index(
            settings.state / "index.db",
            read=lambda: self.read(memory),
            cut=self.cut,
            vectors=self.vectors,
            embedder=self.embedder,
            former=self.former_embedder,
            retrieval=settings.retrieval,
            reranker=self.reranker if settings.retrieval.rerank else None,
            recipe=recipe(settings.index, settings.models.embedder),
            reread=lambda paths: read_changed(settings, paths),
        )

    @cached_property
    def assistant(self) -> "Assistant":
        """The assistant that answers questions from the notes."""
        from pipeline.answerability.judging import answerability_judge
        from pipeline.chat.assistant import Assistant

        return Assistant(
            self.settings,
            open_index=self.index,
            connect=self.engine,
            judge=answerability_judge(self.settings, self.embedder),
            similarity=self.similarity,
        )

    def calibrate(self) -> bool:
        """Learns anew which questions to decline, if the notes or the embedder changed; returns whether it did.

        Raises:
            SitetwinError: as `Index.search`.
        """
        from pipeline.answerability.calibration import refresh_calibration

        # A reranker would take minutes, and it changes the order of few passages.
        plain = self.settings.model_copy(
            update={"retrieval": self.settings.retrieval.model_copy(update={"rerank": False})}
        )
        with Site(plain).index() as index:
            return refresh_calibration(self.settings, index, self.embedder)

    def teacher(self) -> "Teacher":
        """The teacher that writes the pairs. Raises SettingsError and ModelError as `load_teacher` does."""
        from pipeline.dataset.teachers import load_teacher

        return load_teacher(self.settings)

    def judge(self) -> "PairJudge | None":
        """The judge that grades the pairs; None if no model grades them. Raises SettingsError and ModelError as `load_judge` does."""
        from pipeline.dataset.teachers import load_judge

        return load_judge(self.settings)

    async def build_dataset(self, report: "BuildReport") -> "Built":
        """Builds the data set from the site's documents with its teacher and judge.

        Args:
            report: is told of the progress, as by `pipeline.dataset.build.build`.

        Raises:
            SitetwinError: as `build`, or there are no documents to make pairs from.
        """
        from pipeline.dataset.build import build, choose_documents
        from pipeline.dataset.voice.pairs import pairs_of
        from pipeline.dataset.voice.reading import Voice, read_voice

        voice = read_voice(self.settings) if "voice" in self.settings.dataset.kinds else Voice()
        built = await build(
            self.settings,
            choose_documents(self.documents(), self.settings.dataset.visibility),
            teacher=self.teacher(),
            judge=self.judge(),
            cut=self.cut,
            embed=self.embed,
            report=report,
            voice=pairs_of(voice.said),
        )
        built.left_out = voice.left_out
        return built
