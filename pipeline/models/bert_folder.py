"""A model folder in BERT's layout as the hub has it: its configuration, tokenizer and weights."""

import json
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ModelError
from pipeline.models.bert import Activation, Pooling

if TYPE_CHECKING:
    from tokenizers import Tokenizer

ACTIVATIONS: dict[str, Activation] = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
}


@dataclass(frozen=True, slots=True)
class Config:
    """What the files of a model folder say about it."""

    heads: int
    width: int
    epsilon: float
    max_tokens: int
    """Of one text, with the two marks around it; what is longer is cut."""
    activation: Activation
    pooling: Pooling
    lowercase: bool


def read_config(folder: Path) -> Config:
    """Config of a model folder in the hub's layout.

    Raises:
        ModelError: config.json is missing, or the model is no BERT with GELU or ReLU and mean or first-token pooling.
    """
    config = _json(folder, "config.json")
    activation = ACTIVATIONS.get(config.get("hidden_act", ""))
    if config.get("model_type") != "bert" or activation is None:
        raise ModelError(
            f"{folder} is a {config.get('model_type', 'model of unknown type')}, not a BERT with GELU or ReLU: "
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
        activation=activation,
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


def read_weights(folder: Path) -> dict[str, np.ndarray]:
    """The arrays of model.safetensors under transformers' names, without the prefix `bert.`."""
    from safetensors.numpy import load_file

    return {name.removeprefix("bert."): array for name, array in load_file(folder / "model.safetensors").items()}


def open_file(folder: Path, name: str) -> BufferedReader:
    """The file `name` of a model folder.

    Raises:
        ModelError: it is not there.
    """
    try:
        return (folder / name).open("rb")
    except FileNotFoundError:
        raise _missing(folder, name) from None


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
    with open_file(folder, name) as file:
        return json.load(file)


def _missing(folder: Path, name: str) -> ModelError:
    return ModelError(f"{folder} has no {name}: set [models] embedder to a complete model folder, or to 'demo'")
