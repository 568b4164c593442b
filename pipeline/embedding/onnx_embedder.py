"""Turns texts into vectors: a BERT-like encoder on ONNX Runtime."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.embedding.bert import EMBEDDING, IDS, TOKENS, encoder
from pipeline.embedding.bert_folder import load_tokenizer, read_config, read_weights, vectors_name
from pipeline.embedding.int8 import peaks
from pipeline.embedding.token_vectors import TokenVectors, of_tokens
from pipeline.weights.cache import cached
from pipeline.weights.int8 import multiplies_exactly
from pipeline.weights.onnx_sessions import session_options

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Encoding, Tokenizer

RUN_TOKENS = 512
"""The most tokens of one run on one core. Short texts of one length share a run; a longer text is quickest alone."""
INT8 = "int8"
"""Part of the name of an embedder that multiplies in int8. Change it when the rounding changes."""
GRAPH = 4
"""Raise it when `bert.encoder` builds another graph, so that a cached one is not used."""


class BertEmbedder:
    """Runs the model in `folder`: config.json, tokenizer.json or vocab.txt, model.safetensors and, if there, 1_Pooling.

    On a CPU that multiplies bytes exactly, its linear layers multiply in int8, twice as fast as in fp32. Nothing is loaded
    before the first text.

    Args:
        folder: the model's folder.
        threads: the CPU threads; each makes its own run.
        exact: use fp32 on every CPU.

    Raises:
        ModelError: a file is missing, or the model is of a kind that is not known here.
    """

    def __init__(self, folder: Path, threads: int, *, exact: bool = False) -> None:
        self.folder = folder
        self.config = read_config(folder)
        self.dimension = self.config.width
        self._exact = exact
        self._threads = threads
        self._lock = threading.Lock()

    @cached_property
    def name(self) -> str:
        """The folder's name with a digest of everything that the vectors depend on."""
        name = vectors_name(self.folder, self.config)
        return f"{name}-{INT8}" if self._int8 else name

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """The texts' vectors, as `TextModel.embed`. Any thread may call it."""
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        if not texts:
            return vectors
        with self._lock:
            tokenizer, session = self._tokenizer, self._session
        tokens = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]

        def run(rows: list[int]) -> None:
            vectors[rows] = session.run([EMBEDDING], {IDS: np.array([tokens[row] for row in rows], np.int64)})[0]

        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(run, alike([len(ids) for ids in tokens], RUN_TOKENS)))
        return vectors

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """The vectors of the texts' tokens, as `TokenModel.embed_tokens`. Any thread may call it."""
        with self._lock:
            tokenizer, session = self._tokenizer, self._session
        encodings = tokenizer.encode_batch(list(texts))

        def run(encoding: "Encoding") -> TokenVectors:
            return of_tokens(encoding, session.run([TOKENS], {IDS: np.array([encoding.ids], np.int64)})[0][0])

        with ThreadPoolExecutor(self._threads) as pool:
            return list(pool.map(run, encodings))

    @cached_property
    def _int8(self) -> bool:
        return not self._exact and multiplies_exactly()

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        return load_tokenizer(self.folder, self.config)

    @cached_property
    def _session(self) -> "onnxruntime.InferenceSession":
        model = cached(f"{self.name}-onnx{GRAPH}", partial(self._write_graph, self._tokenizer)) / "model.onnx"
        return open_session(model, 1)

    def _write_graph(self, tokenizer: "Tokenizer", folder: Path) -> None:
        import onnx

        arrays, config = read_weights(self.folder), self.config
        model = encoder(
            arrays,
            heads=config.heads,
            epsilon=config.epsilon,
            activation=config.activation,
            pooling=config.pooling,
            peaks=peaks(arrays, config, tokenizer) if self._int8 else None,
        )
        onnx.save(model, folder / "model.onnx")


def open_session(model: Path, threads: int) -> "onnxruntime.InferenceSession":
    """A session of `model` on the CPU that leaves room for a chat beside it.

    Args:
        model: the ONNX file.
        threads: the CPU threads of one run.
    """
    import onnxruntime

    options = session_options(threads)
    # A thread that spins while it waits would take a core from the engine. Small blocks of work let a thread that has a
    # core take over from one that has none.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.dynamic_block_base", "4")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def alike(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Groups of indices of texts with the same length, longest first. A group of several has at most `budget` tokens."""
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row, length in enumerate(lengths):
        rows_of[length].append(row)
    for length in sorted(rows_of, reverse=True):
        rows, size = rows_of[length], max(budget // length, 1)
        yield from (rows[start : start + size] for start in range(0, len(rows), size))
