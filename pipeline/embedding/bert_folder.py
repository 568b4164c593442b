"""A BERT model's folder as the hub has it: its configuration, tokenizer and weights."""

import hashlib
import json
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pipeline.embedding.bert import Activation, Pooling
from pipeline.embedding.prefixes import EmbeddingPrefixes, known_prefixes
from pipeline.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

ACTIVATIONS: dict[str, Activation] = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
}
WEIGHTS = "model.safetensors"
MODULES = {"Transformer", "Pooling", "Normalize"}
"""The kinds of modules in sentence-transformers' modules.json that are known here."""
_EXAMPLES = {
    "embedder": "set [models] embedder to such a folder, e.g. all-MiniLM, bge or e5 in English, or to 'demo'",
    "reranker": "set [models] reranker to such a folder, e.g. one with cross-encoder/ms-marco-MiniLM-L6-v2",
}
_DISTILBERT = [
    ("transformer.layer.", "encoder.layer."),
    (".attention.q_lin.", ".attention.self.query."),
    (".attention.k_lin.", ".attention.self.key."),
    (".attention.v_lin.", ".attention.self.value."),
    (".attention.out_lin.", ".attention.output.dense."),
    (".sa_layer_norm.", ".attention.output.LayerNorm."),
    (".ffn.lin1.", ".intermediate.dense."),
    (".ffn.lin2.", ".output.dense."),
    (".output_layer_norm.", ".output.LayerNorm."),
]


@dataclass(frozen=True, slots=True)
class Config:
    """What the files of a model folder say about the model."""

    heads: int
    width: int
    epsilon: float
    max_tokens: int
    """The most tokens of one text, including the two marks around it. A longer text is cut."""
    activation: Activation
    pooling: Pooling
    lowercase: bool


def read_config(folder: Path, setting: str = "embedder") -> Config:
    """The configuration of a model folder in the hub's layout.

    Args:
        folder: the model's folder.
        setting: the key of [models] that names the folder.

    Raises:
        ModelError: config.json is missing, or the model is of another kind. Accepted are BERT and DistilBERT with GELU or
            ReLU and with mean or first-token pooling, and no further layer after it.
    """
    config = _json(folder, "config.json")
    kind = config.get("model_type", "model of unknown type")
    activation = ACTIVATIONS.get(config.get("activation" if kind == "distilbert" else "hidden_act", ""))
    absolute = config.get("position_embedding_type", "absolute") == "absolute"
    if kind not in ("bert", "distilbert") or activation is None or not absolute:
        raise ModelError(f"{folder} is a {kind}, not a BERT or DistilBERT with GELU or ReLU: {_EXAMPLES[setting]}")
    for module in _json(folder, "modules.json", default=[]):
        if (name := module["type"].rsplit(".", 1)[-1]) not in MODULES:
            raise ModelError(f"{folder} has a layer {name} after its BERT: {_EXAMPLES[setting]}")
    longest = config["max_position_embeddings"]
    tokenizer = _json(folder, "tokenizer_config.json", default={})
    return Config(
        heads=config["n_heads" if kind == "distilbert" else "num_attention_heads"],
        width=config["dim" if kind == "distilbert" else "hidden_size"],
        epsilon=config.get("layer_norm_eps", 1e-12),
        max_tokens=min(
            longest, _json(folder, "sentence_bert_config.json", default={}).get("max_seq_length") or longest
        ),
        activation=activation,
        pooling=_pooling(folder),
        lowercase=tokenizer.get("do_lower_case", True),
    )


def read_prefixes(folder: Path) -> EmbeddingPrefixes:
    """The prompts of sentence-transformers' configuration; without them, the prefixes known for the folder's name."""
    prompts = _json(folder, "config_sentence_transformers.json", default={}).get("prompts") or {}
    document = next((prompts[key] for key in ("document", "passage") if key in prompts), "")
    if not any((prompts.get("query"), document)):
        return known_prefixes(folder.name)
    return EmbeddingPrefixes(prompts.get("query", ""), document)


def load_tokenizer(folder: Path, config: Config) -> "Tokenizer":
    """The folder's tokenizer. It cuts at `config.max_tokens` and does not pad.

    Raises:
        ModelError: neither tokenizer.json nor vocab.txt is there.
    """
    from tokenizers import Tokenizer
    from tokenizers.implementations.bert_wordpiece import BertWordPieceTokenizer

    tokenizer: Any
    if (folder / "tokenizer.json").is_file():
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    elif (folder / "vocab.txt").is_file():
        tokenizer = BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=config.lowercase)
    else:
        raise _missing(folder, "tokenizer.json")
    tokenizer.enable_truncation(config.max_tokens)
    tokenizer.no_padding()
    return cast("Tokenizer", tokenizer)


def read_weights(folder: Path) -> dict[str, np.ndarray]:
    """The arrays of model.safetensors under the names of transformers' BertModel, also for a DistilBERT.

    Raises:
        ModelError: that file is missing.
    """
    from safetensors.numpy import load_file

    if not (folder / WEIGHTS).is_file():
        raise _missing(folder, WEIGHTS)
    arrays = {_name(name): array for name, array in load_file(folder / WEIGHTS).items()}
    # DistilBERT has no token types.
    nothing = np.zeros((1, arrays["embeddings.LayerNorm.bias"].size), np.float32)
    return {"embeddings.token_type_embeddings.weight": nothing, **arrays}


def weights_name(folder: Path) -> str:
    """The folder's name with a digest of its weights.

    Raises:
        ModelError: model.safetensors is missing.
    """
    with _open(folder, WEIGHTS) as file:
        return f"{folder.name}-{hashlib.file_digest(file, 'sha256').hexdigest()[:12]}"


def vectors_name(folder: Path, config: Config) -> str:
    """A name for everything that the folder's vectors in fp32 depend on, whatever computes them.

    Raises:
        ModelError: model.safetensors is missing.
    """
    return f"{weights_name(folder)}-{config.pooling}-{config.max_tokens}"


def _name(name: str) -> str:
    name = name.removeprefix("bert.").removeprefix("distilbert.")
    for theirs, ours in _DISTILBERT:
        name = name.replace(theirs, ours)
    return name


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


def _json(folder: Path, name: str, default: Any = None) -> Any:
    if default is not None and not (folder / name).is_file():
        return default
    with _open(folder, name) as file:
        return json.load(file)


def _open(folder: Path, name: str) -> BufferedReader:
    try:
        return (folder / name).open("rb")
    except FileNotFoundError:
        raise _missing(folder, name) from None


def _missing(folder: Path, name: str) -> ModelError:
    return ModelError(f"{folder} has no {name}: name a complete model folder in [models]")
