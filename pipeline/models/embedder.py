"""Texts to vectors: a BERT-like encoder on ONNX Runtime."""

import hashlib
import json
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pipeline.errors import ModelError
from pipeline.models.bert import EMBEDDING, IDS, MASK, Pooling, encoder
from pipeline.models.cache import cached
from pipeline.models.demo import resolve_embedding_model
from pipeline.settings import Settings

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Tokenizer

BATCH_TOKENS = 1024
"""Padded tokens of one run. More at once is slower: the layer's (tokens, 1536) no longer fit the cache."""
GRAPH = 1
"""Raised when `bert.encoder` gives another graph, so that a cached one is not used."""

_embedders: dict[tuple[Path, int], "BertEmbedder"] = {}
_lock = threading.Lock()


class Embedder(Protocol):
    @property
    def name(self) -> str:
        """Identifies weights and pooling: vectors of two embedders of one name can be compared."""

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Float32 (texts, dimension), rows of length 1; (0, dimension) for no texts."""


def load_embedder(settings: Settings, threads: int = 0) -> Embedder:
    """The embedder that the settings name, one per process; any thread may use it.

    Args:
        threads: of the CPU for one run; 0: one for each core. They sleep while they wait, so a chat beside them goes on.

    Raises:
        ModelError: its folder lacks a file, or is no BERT.
    """
    folder = resolve_embedding_model(settings.models.embedder)
    threads = threads or os.cpu_count() or 1
    with _lock:
        if (folder, threads) not in _embedders:
            _embedders[folder, threads] = BertEmbedder(folder, threads)
        return _embedders[folder, threads]


@dataclass(frozen=True, slots=True)
class Config:
    """What the files of a model folder say about it."""

    heads: int
    width: int
    epsilon: float
    max_tokens: int
    """Of one text, with the two marks around it; what is longer is cut."""
    pooling: Pooling
    lowercase: bool


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
        with _open(self.folder, "model.safetensors") as file:
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
        import onnxruntime

        model = cached(f"{self.name}-onnx{GRAPH}", partial(_write_graph, self.folder, self.config)) / "model.onnx"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
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


def read_config(folder: Path) -> Config:
    """Config of a model folder in the hub's layout.

    Raises:
        ModelError: config.json is missing, or the model is no BERT with GELU and mean or first-token pooling.
    """
    config = _json(folder, "config.json")
    if config.get("model_type") != "bert" or config.get("hidden_act") != "gelu":
        raise ModelError(
            f"{folder} is a {config.get('model_type', 'model of unknown type')}, not a BERT with GELU: "
            "set [models] embedder to such a folder, e.g. all-MiniLM, bge or e5 in English, or to 'demo'"
        )
    longest = config["max_position_embeddings"]
    tokenizer = _json(folder, "tokenizer_config.json", default={})
    return Config(
        heads=config["num_attention_heads"],
        width=config["hidden_size"],
        epsilon=config["layer_norm_eps"],
        max_tokens=min(
            longest, _json(folder, "sentence_bert_config.json", default={}).get("max_seq_length") or longest
        ),
        pooling=_pooling(folder),
        lowercase=tokenizer.get("do_lower_case", True),
    )


def load_tokenizer(folder: Path, config: Config) -> "Tokenizer":
    """The folder's tokenizer, cutting at `config.max_tokens` and without padding.

    Raises:
        ModelError: neither tokenizer.json nor vocab.txt is there.
    """
    from tokenizers import Tokenizer
    from tokenizers.implementations import BertWordPieceTokenizer

    tokenizer: Any
    if (folder / "tokenizer.json").is_file():
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    elif (folder / "vocab.txt").is_file():
        tokenizer = BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=config.lowercase)
    else:
        raise _missing(folder, "tokenizer.json")
    tokenizer.enable_truncation(config.max_tokens)
    tokenizer.no_padding()
    return tokenizer


def _write_graph(weights: Path, config: Config, folder: Path) -> None:
    import onnx
    from safetensors.numpy import load_file

    arrays = {name.removeprefix("bert."): array for name, array in load_file(weights / "model.safetensors").items()}
    model = encoder(arrays, heads=config.heads, epsilon=config.epsilon, pooling=config.pooling)
    onnx.save(model, folder / "model.onnx")


def _pooling(folder: Path) -> Pooling:
    modes = _json(folder, "1_Pooling/config.json", default={"pooling_mode_mean_tokens": True})
    chosen = [key for key, value in modes.items() if key.startswith("pooling_mode_") and value]
    if chosen == ["pooling_mode_mean_tokens"]:
        return "mean"
    if chosen == ["pooling_mode_cls_token"]:
        return "cls"
    raise ModelError(
        f"{folder} pools by {', '.join(chosen) or 'nothing'}: set [models] embedder to a folder with mean or cls pooling"
    )


def _json(folder: Path, name: str, default: dict[str, Any] | None = None) -> dict[str, Any]:
    if default is not None and not (folder / name).is_file():
        return default
    with _open(folder, name) as file:
        return json.load(file)


def _open(folder: Path, name: str) -> Any:
    try:
        return (folder / name).open("rb")
    except FileNotFoundError:
        raise _missing(folder, name) from None


def _missing(folder: Path, name: str) -> ModelError:
    return ModelError(f"{folder} has no {name}: set [models] embedder to a complete model folder, or to 'demo'")
