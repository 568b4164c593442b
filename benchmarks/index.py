"""Chunks indexed and embedded per second, beside sentence-transformers.

    python -m benchmarks.index [--config sitetwin.toml] [--chars 200000] [--rounds 3] [--json]

It indexes Markdown into a throw-away site with the settings' embedder and chunk size. The text comes from ../shared/data
if that folder exists, else from docs/. sentence-transformers gets the same texts and weights, in its own environment
under .sitetwin/bench-env (torch: several hundred MB), which is kept. The two take turns, and each figure is the median
over the rounds. `ratio` is the number of chunks that sitetwin indexes per second, storing included, divided by the number
of texts that sentence-transformers embeds. For an embedder in int8, the cosines of its vectors to fp32 are shown too.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.peers import peer_python
from benchmarks.report import render
from pipeline.content import read_sources
from pipeline.content.chunking import chunk_document
from pipeline.embedding.embedder import embedder_folder, load_embedder
from pipeline.embedding.onnx_embedder import BertEmbedder
from pipeline.errors import SitetwinError
from pipeline.processes import vectors
from pipeline.settings import ContentSource, Settings, load_settings
from pipeline.site import Site

PROJECT = Path(__file__).resolve().parents[1]
CORPORA = PROJECT.parent / "shared" / "data" / "chunking-evaluation"
PEER = "sentence-transformers"
ENCODE = """
import json, sys, time
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu")
texts = json.load(sys.stdin)
model.encode(texts[:8])
started = time.perf_counter()
model.encode(texts)
print(len(texts) / (time.perf_counter() - started))
"""


def copy_corpus(folder: Path, chars: int) -> str:
    """Writes about `chars` characters of Markdown to `folder`. Returns the name of the text."""
    source, name = (CORPORA, "five corpora of chunking-evaluation") if CORPORA.is_dir() else (PROJECT / "docs", "docs/")
    files = sorted(source.glob("*.md"))
    for file in files:
        text = file.read_text(encoding="utf-8")[: chars // len(files)]
        (folder / file.name).write_text(text, encoding="utf-8")
    return name


def index(settings: Settings) -> tuple[int, float]:
    """The number of chunks in a first sync, and chunks per second. Model and vector store are started before."""
    load_embedder(settings).embed(["warm"])
    vectors.connect(settings)
    try:
        with Site(settings).index() as site:
            report = site.sync()
    finally:
        service = vectors.service(settings)
        if endpoint := service.find():
            service.stop(endpoint)
    return report.chunks_embedded, report.chunks_embedded / report.seconds


def indexed_texts(settings: Settings) -> list[str]:
    """The texts of all chunks as they are embedded, each once."""
    documents = [report.document for report in read_sources(settings) if report.document]
    return list(
        dict.fromkeys(
            chunk.indexed_text(document.title)
            for document in documents
            for chunk in chunk_document(document, settings.index.chunk_chars)
        )
    )


def embed(settings: Settings, texts: Sequence[str]) -> float:
    """Texts embedded per second."""
    started = time.perf_counter()
    load_embedder(settings).embed(texts)
    return len(texts) / (time.perf_counter() - started)


def to_exact(settings: Settings, texts: Sequence[str]) -> np.ndarray:
    """The cosine of each text's vector to its vector in fp32: float32 of shape (texts,)."""
    model = BertEmbedder(embedder_folder(settings), os.cpu_count() or 1, exact=True)
    return np.asarray((load_embedder(settings).embed(texts) * model.embed(texts)).sum(1))


def peer(model: Path, texts: Sequence[str]) -> float | None:
    """Texts per second of sentence-transformers with its defaults; None, with the reason on stderr, if it can't run."""
    try:
        python = peer_python(PEER)
        offline = os.environ | {"HF_HUB_OFFLINE": "1"}
        command = [str(python), "-c", ENCODE, str(model)]
        done = subprocess.run(
            command, input=json.dumps(texts), stdout=subprocess.PIPE, text=True, check=True, env=offline
        )
    except (subprocess.CalledProcessError, OSError) as error:
        print(f"{PEER} can't be installed or run here ({error}), so there is no ratio", file=sys.stderr)
        return None
    return float(done.stdout)


def main() -> None:
    """The command line of this benchmark."""
    parser = argparse.ArgumentParser(description="Chunks indexed a second beside sentence-transformers.")
    parser.add_argument("--config", type=Path, help="the sitetwin.toml to use")
    parser.add_argument("--chars", type=int, default=200_000, help="how much text to index")
    parser.add_argument("--rounds", type=int, default=3, help="how often the two take turns")
    parser.add_argument("--json", action="store_true", help="only the figures, as JSON")
    arguments = parser.parse_args()
    try:
        site = load_settings(arguments.config)
        rounds = []
        with tempfile.TemporaryDirectory(prefix="sitetwin-") as folder:
            notes = Path(folder) / "notes"
            notes.mkdir()
            corpus = copy_corpus(notes, arguments.chars)
            here = site.model_copy(update={"root": Path(folder), "content": [ContentSource(path=Path("notes"))]})
            texts = indexed_texts(here)
            for _ in range(arguments.rounds):
                rounds.append((*index(here), embed(here, texts), peer(embedder_folder(site), texts)))
                shutil.rmtree(here.state)
            cosines = to_exact(here, texts)
    except SitetwinError as error:
        sys.exit(str(error))
    chunks, indexed, embedded, theirs = zip(*rounds, strict=True)
    figures = {
        "ratio": None if None in theirs else median(ours / other for ours, other in zip(indexed, theirs, strict=True)),
        "chunks": chunks[0],
        "characters_per_chunk": sum(map(len, texts)) / len(texts),
        "chunks_indexed_per_second": median(indexed),
        "chunks_embedded_per_second": median(embedded),
        "sentence_transformers_per_second": None if None in theirs else median(theirs),
        "cosine_to_fp32_lowest": float(cosines.min()),
        "cosine_to_fp32_mean": float(cosines.mean()),
    }
    print(render(f"Indexing {corpus}, embedder {site.models.embedder}", figures, as_json=arguments.json))


if __name__ == "__main__":
    main()
