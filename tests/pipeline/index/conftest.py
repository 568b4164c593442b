"""A small site on disk, its index, a `chroma run` of the tests' own, and an embedder that needs no weights."""

import os
import re
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import chromadb
import httpx
import numpy as np
import pytest
from chromadb.config import Settings as ChromaSettings

from pipeline.content import read_sources
from pipeline.content.chunking import chunk_document
from pipeline.embedding.embedder import Embedder
from pipeline.embedding.reranker import Reranker
from pipeline.index.index import Index
from pipeline.index.passages import Passage
from pipeline.processes.endpoint import free_port
from pipeline.settings import ContentSource, Settings

START_SECONDS = 60


class HashedWords:
    """Texts that share words are near: each word adds to one of 256 dimensions."""

    dimension = 256

    def __init__(self, name: str = "hashed-words") -> None:
        self.name = self.spec = name
        self.seen: list[str] = []

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.seen += texts
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()) or ["-"]:
                vectors[row, zlib.crc32(word.encode()) % self.dimension] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def embed_query(self, text: str) -> np.ndarray:
        return self.embed([text])[0]


class Site:
    """Notes in `root/notes`, public unless they say `private: true`."""

    def __init__(self, root: Path, port: int, embedder: HashedWords | None = None) -> None:
        self.notes = root / "notes"
        self.notes.mkdir(parents=True, exist_ok=True)
        source = ContentSource(path=Path("notes"), url="/{slug}", visibility="public")
        self.settings = Settings(root=root, content=[source])
        self.embedder = embedder or HashedWords()
        self.port = port
        self.client: chromadb.ClientAPI | None = None
        self.index = self.open()

    def open(
        self,
        embedder: Embedder | None = None,
        mode: str = "hybrid",
        former: Callable[[str], Embedder] | None = None,
        reranker: Callable[[], Reranker] | None = None,
    ) -> Index:
        return Index(
            self.settings.state / "index.db",
            read=lambda: read_sources(self.settings),
            cut=lambda document: chunk_document(document, self.settings.index.chunk_chars),
            vectors=self.connect,
            embedder=lambda: embedder or self.embedder,
            former=former,
            reranker=reranker,
            retrieval=self.settings.retrieval.model_copy(update={"mode": mode}),
            recipe=f"chars={self.settings.index.chunk_chars}",
        )

    def connect(self) -> chromadb.ClientAPI:
        if self.client is None:
            self.client = chromadb.HttpClient(
                "127.0.0.1", self.port, settings=ChromaSettings(anonymized_telemetry=False)
            )
        return self.client

    def write(self, name: str, text: str) -> None:
        path = self.notes / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def found(self, query: str, **options: object) -> list[str]:
        """Names of the notes found, best first, each once."""
        passages = self.index.search(query, 20, **options).passages  # type: ignore[arg-type]
        return list(dict.fromkeys(passage.document.removeprefix("notes/") for passage in passages))

    def similarity(self, query: str, passage: Passage) -> float:
        heading = " > ".join(filter(None, (passage.title, passage.heading)))
        question, text = HashedWords().embed([query, f"{heading}\n{passage.text}"])
        return float(question @ text)

    def stored(self, visibility: str, generation: int = 1) -> dict[str, tuple[float, ...]]:
        """What Chroma holds: rounded vectors by chunk id."""
        collection = self.connect().get_collection(f"sitetwin-{visibility}-{generation}", embedding_function=None)
        rows = collection.get(include=["embeddings"])
        return {id: tuple(np.round(vector, 4)) for id, vector in zip(rows["ids"], rows["embeddings"], strict=True)}

    def collections(self) -> set[str]:
        return {collection.name for collection in self.connect().list_collections()}

    def forget_vectors(self) -> None:
        for name in self.collections():
            self.connect().delete_collection(name)


@pytest.fixture(scope="session")
def chroma_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port, folder = free_port(), tmp_path_factory.mktemp("chroma")
    command = [
        Path(sys.executable).with_name("chroma"),
        "run",
        "--path",
        folder,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            command, stdout=log, stderr=log, env=os.environ | {"ANONYMIZED_TELEMETRY": "false"}
        ) as process,
    ):
        try:
            _wait_until_it_answers(process, port)
            yield port
        finally:
            process.terminate()


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline, pause = time.monotonic() + START_SECONDS, threading.Event()
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(f"http://127.0.0.1:{port}/api/v2/heartbeat").raise_for_status()
        except httpx.TransportError:
            pause.wait(0.05)
        else:
            return
    pytest.fail("chroma run did not answer")


@pytest.fixture
def site(tmp_path: Path, chroma_port: int) -> Iterator[Site]:
    site = Site(tmp_path / "my site", chroma_port)
    site.forget_vectors()
    with site.index:
        yield site
