"""A fused Llama or Mistral as llama.cpp's GGUF in 16 bits, the inverse of `pipeline.weights.gguf`.

mlx-lm's own export knows the same models (and Mixtral), but writes every tokenizer as one of SentencePiece without its
merges, which makes nonsense of byte-level ones such as SmolLM2's and Llama 3's, and leaves out Llama 3's scaling of RoPE.
Import this after `blas.preload()`.
"""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten
from mlx_lm.gguf import permute_weights, translate_weight_names

from pipeline.errors import ModelError
from pipeline.training.exporting.source import Source

MODEL_TYPES = ("llama", "mistral")
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
"""`tokenizer.ggml.token_type`."""
FILE_TYPE_F16 = 1

_LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def check_gguf(source: Source) -> None:
    """
    Raises:
        ModelError: its architecture or its tokenizer can't be written; the message names the other ways.
    """
    config = source.config
    scaling = _scaling(config)
    odd = [kind for kind in config.get("layer_types") or () if kind != "full_attention"]
    reason = ""
    if config["model_type"] not in MODEL_TYPES:
        reason = f"{config['model_type']} is no Llama or Mistral"
    elif scaling.get("rope_type", scaling.get("type", "default")) not in ("default", "linear", "llama3"):
        reason = f"its positions are scaled as {scaling.get('rope_type', scaling.get('type'))}"
    elif odd:
        reason = f"it has layers of {odd[0]}"
    elif _tokenizer_kind(_tokenizer(source)) is None:
        reason = "its tokenizer cuts words in a way that has no name in GGUF"
    if reason:
        raise ModelError(
            f"no GGUF for this model ({reason}): use --to ollama, whose own converter knows more of them, or --to fused "
            "--dequantize and llama.cpp's convert_hf_to_gguf.py"
        )


def write_gguf(source: Source, model: nn.Module, file: Path) -> None:
    """Writes the fused, unquantised `model` with its tokenizer and chat template.

    Raises:
        ModelError: as `check_gguf`.
    """
    check_gguf(source)
    mx.save_gguf(str(file), dict(_tensors(source.config, model)), metadata(source))


def metadata(source: Source) -> dict[str, Any]:
    config = source.config
    heads = config["num_attention_heads"]
    width = config.get("head_dim") or config["hidden_size"] // heads
    scaling = _scaling(config)
    numbers = {
        "context_length": config.get("max_position_embeddings") or 2048,
        "embedding_length": config["hidden_size"],
        "block_count": config["num_hidden_layers"],
        "feed_forward_length": config["intermediate_size"],
        "attention.head_count": heads,
        "attention.head_count_kv": config.get("num_key_value_heads") or heads,
        "attention.key_length": width,
        "attention.value_length": width,
        "rope.dimension_count": width,
        "vocab_size": config["vocab_size"],
    }
    values: dict[str, Any] = {
        "general.architecture": "llama",
        "general.name": source.name,
        "general.file_type": mx.array(FILE_TYPE_F16, mx.uint32),
        **{f"llama.{key}": mx.array(number, mx.uint32) for key, number in numbers.items()},
        "llama.attention.layer_norm_rms_epsilon": mx.array(config["rms_norm_eps"], mx.float32),
        "llama.rope.freq_base": mx.array(_theta(config), mx.float32),
        **_tokenizer_metadata(source, config["vocab_size"]),
    }
    if scaling.get("rope_type", scaling.get("type")) == "linear":
        values["llama.rope.scaling.type"] = "linear"
        values["llama.rope.scaling.factor"] = mx.array(scaling["factor"], mx.float32)
    return values


def _tensors(config: dict[str, Any], model: nn.Module) -> Iterator[tuple[str, mx.array]]:
    """Matrices in 16 bits, vectors in 32, rows of queries and keys in the order of llama.cpp."""
    heads = config["num_attention_heads"]
    key_heads = config.get("num_key_value_heads") or heads
    parameters: dict[str, mx.array] = dict(tree_flatten(model.parameters()))
    for path, array in parameters.items():
        if ".q_proj." in path or ".k_proj." in path:
            array = permute_weights(array, heads if ".q_proj." in path else key_heads)
        # bfloat16 has no product of its own on a CPU, and passes through float32 unchanged.
        array = array.astype(mx.float32)
        yield translate_weight_names(path), array.astype(mx.float16) if array.ndim == 2 else array
    if _scaling(config).get("rope_type") == "llama3":
        yield "rope_freqs.weight", _llama3_factors(config)


def _llama3_factors(config: dict[str, Any]) -> mx.array:
    """By how much each frequency is divided (Llama 3.1's scaling, as transformers' `_compute_llama3_parameters`)."""
    scaling = _scaling(config)
    width = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    low, high = scaling.get("low_freq_factor", 1.0), scaling.get("high_freq_factor", 4.0)
    window = scaling.get("original_max_position_embeddings", 8192)
    factors = []
    for index in range(0, width, 2):
        wavelength = 2 * math.pi * _theta(config) ** (index / width)
        smooth = min(1.0, max(0.0, (window / wavelength - low) / (high - low)))
        factors.append(1 / ((1 - smooth) / scaling["factor"] + smooth))
    return mx.array(factors, mx.float32)


def _scaling(config: dict[str, Any]) -> dict[str, Any]:
    return config.get("rope_scaling") or config.get("rope_parameters") or {}


def _theta(config: dict[str, Any]) -> float:
    return float(config.get("rope_theta") or _scaling(config).get("rope_theta") or 10_000)


def _tokenizer(source: Source) -> dict[str, Any]:
    file = source.base / "tokenizer.json"
    if not file.is_file():
        return {"model": {}}
    return json.loads(file.read_bytes())  # type: ignore[no-any-return]


def _tokenizer_kind(tokenizer: dict[str, Any]) -> tuple[str, str] | None:
    """llama.cpp's `tokenizer.ggml.model` and `tokenizer.ggml.pre`; None when it knows no such tokenizer."""
    if tokenizer["model"].get("type") != "BPE":
        return None
    if tokenizer["model"].get("byte_fallback"):
        return "llama", "default"
    steps = tokenizer.get("pre_tokenizer") or {}
    steps = steps.get("pretokenizers", [steps])
    kinds = [step.get("type") for step in steps]
    if kinds == ["Digits", "ByteLevel"] and steps[0].get("individual_digits") and steps[1].get("use_regex", True):
        return "gpt2", "smollm"
    if kinds == ["Split", "ByteLevel"] and steps[0]["pattern"].get("Regex") == _LLAMA3:
        return "gpt2", "llama-bpe"
    return ("gpt2", "gpt-2") if kinds == ["ByteLevel"] and steps[0].get("use_regex", True) else None


def _tokenizer_metadata(source: Source, rows: int) -> dict[str, Any]:
    tokenizer, wrapped = _tokenizer(source), source.tokenizer
    kind = _tokenizer_kind(tokenizer)
    assert kind is not None
    tokens = {number: (text, NORMAL) for text, number in tokenizer["model"]["vocab"].items()}
    if kind[0] == "llama":
        tokens = {number: (text, BYTE if _is_byte(text) else NORMAL) for number, (text, _) in tokens.items()}
    for added in tokenizer.get("added_tokens", []):
        tokens[added["id"]] = (added["content"], CONTROL if added["special"] else USER_DEFINED)
    listed = [tokens.get(number, (f"[PAD{number}]", UNUSED)) for number in range(rows)]
    unknown = tokenizer["model"].get("unk_token")
    if kind[0] == "llama":
        listed = [(text, UNKNOWN if text == unknown else type_) for text, type_ in listed]
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]]
    values: dict[str, Any] = {
        "tokenizer.ggml.model": kind[0],
        "tokenizer.ggml.pre": kind[1],
        "tokenizer.ggml.tokens": [text for text, _ in listed],
        "tokenizer.ggml.token_type": mx.array([type_ for _, type_ in listed], mx.int32),
        "tokenizer.ggml.add_bos_token": mx.array(_adds_first(wrapped)),
        "tokenizer.ggml.add_eos_token": mx.array(False),
    }
    if kind[0] == "llama":
        values["tokenizer.ggml.scores"] = mx.array(_scores([text for text, _ in listed], merges), mx.float32)
        values["tokenizer.ggml.add_space_prefix"] = mx.array(_adds_space(tokenizer))
    else:
        values["tokenizer.ggml.merges"] = merges
    ids = {"bos": wrapped.bos_token_id, "eos": wrapped.eos_token_id, "padding": wrapped.pad_token_id, "unknown": wrapped.unk_token_id}  # fmt: skip
    values |= {
        f"tokenizer.ggml.{name}_token_id": mx.array(id_, mx.uint32) for name, id_ in ids.items() if id_ is not None
    }
    if isinstance(wrapped.chat_template, str):
        values["tokenizer.chat_template"] = wrapped.chat_template
    return values


def _scores(tokens: list[str], merges: list[str]) -> list[float]:
    """SentencePiece joins the pair with the best score first; here that is the pair that is merged first."""
    ranks: dict[str, int] = {}
    for rank, merge in enumerate(merges):
        ranks.setdefault(merge.replace(" ", ""), rank)
    return [-float(ranks[text]) if text in ranks else -1e6 for text in tokens]


def _is_byte(text: str) -> bool:
    return len(text) == 6 and text.startswith("<0x") and text.endswith(">")


def _adds_first(tokenizer: Any) -> bool:
    return tokenizer.bos_token_id is not None and tokenizer.encode("a")[0] == tokenizer.bos_token_id


def _adds_space(tokenizer: dict[str, Any]) -> bool:
    """Whether a text gets a space before it, as Llama 2's does."""
    normaliser = json.dumps(tokenizer.get("normalizer")) + json.dumps(tokenizer.get("pre_tokenizer"))
    return (
        '"Prepend"' in normaliser
        or '"prepend_scheme": "first"' in normaliser
        or '"prepend_scheme": "always"' in normaliser
    )
