"""Texts to vectors: a BERT-like encoder on ONNX Runtime."""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.models.bert import EMBEDDING, IDS, MASK, encoder
from pipeline.models.bert_folder import Config, load_tokenizer, open_file, read_config, read_weights
from pipeline.models.cache import cached

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Tokenizer

BATCH_TOKENS = 1024
"""Padded tokens of one run. More at once is slower: the layer's (tokens, 1536) no longer fit the cache."""
GRAPH = 1
"""Raised when `bert.encoder` gives another graph, so that a cached one is not used."""


class BertEmbedder:
    """Runs the model in `folder`: config.json, tokenizer.json or vocab.txt, model.safetensors and, if there, 1_Pooling.

    Nothing is loaded before the first text.

    Raises:
        ModelError: a file is missing, or it is a kind of model that is not known here.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        self.folder = folder
        self.config = read_config(folder)
        self.dimension = self.config.width
        self._threads = threads
        self._lock = threading.Lock()

    @cached_property
    def name(self) -> str:
        with open_file(self.folder, "model.safetensors") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:12]
        return f"{self.folder.name}-{digest}-{self.config.pooling}-{self.config.max_tokens}"

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        if not texts:
            return vectors
        with self._lock:
            tokenizer, session = self._tokenizer, self._session
        tokens = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
        for rows in batches([len(ids) for ids in tokens], BATCH_TOKENS):
            vectors[rows] = session.run([EMBEDDING], padded([tokens[row] for row in rows]))[0]
        return vectors

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        return load_tokenizer(self.folder, self.config)

    @cached_property
    def _session(self) -> "onnxruntime.InferenceSession":
        model = cached(f"{self.name}-onnx{GRAPH}", partial(_write_graph, self.folder, self.config)) / "model.onnx"
        return open_session(model, self._threads)


def open_session(model: Path, threads: int) -> "onnxruntime.InferenceSession":
    """`model` ready to run on the CPU beside a chat."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # A thread that spins while it waits takes the core from the engine; small blocks of work let a thread that
    # has a core take over from one that has none.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.dynamic_block_base", "4")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices of texts grouped by similar length, longest first; each group has at most `budget` tokens once padded."""
    group: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if group and lengths[group[0]] * (len(group) + 1) > budget:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def padded(tokens: Sequence[Sequence[int]]) -> dict[str, np.ndarray]:
    """The graph's inputs for token lists: ids and mask, both int64 (texts, longest), filled up with 0."""
    shape = len(tokens), max(len(ids) for ids in tokens)
    ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for row, text in enumerate(tokens):
        ids[row, : len(text)] = text
        mask[row, : len(text)] = 1
    return {IDS: ids, MASK: mask}


def _write_graph(weights: Path, config: Config, folder: Path) -> None:
    import onnx

    model = encoder(
        read_weights(weights),
        heads=config.heads,
        epsilon=config.epsilon,
        activation=config.activation,
        pooling=config.pooling,
    )
    onnx.save(model, folder / "model.onnx")
