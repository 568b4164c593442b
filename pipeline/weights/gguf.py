"""A Llama in llama.cpp's GGUF to a normal MLX model folder that `mlx_lm.load` opens."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.weights import blas

if TYPE_CHECKING:
    import mlx.core as mx

NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
GROUP = 32
CONTROL = 3
"""`tokenizer.ggml.token_type` of a token that no text is encoded to."""


def convert(file: Path, folder: Path, dtype: str) -> None:
    """Write config.json, model.safetensors, the tokenizer and its chat template for the Llama in `file`.

    Args:
        file: a GGUF whose tensors are Q4_0, Q4_1, Q8_0 or floats, with a GPT-2 style tokenizer.
        folder: exists; files of the same name are overwritten.
        dtype: `float32`, `bfloat16` or `float16`; quantised weights are expanded to it.
    """
    blas.preload()
    import mlx.core as mx

    loaded: Any = mx.load(str(file), return_metadata=True)
    tensors, metadata = loaded
    config = model_config(metadata, tied="output.weight" not in tensors, dtype=dtype)
    weights = {
        name: array.astype(getattr(mx, dtype))
        for name, array in _expand(tensors, config["num_attention_heads"], config["num_key_value_heads"])
    }
    mx.save_safetensors(str(folder / "model.safetensors"), weights, metadata={"format": "mlx"})
    _write(folder / "config.json", config)
    _write(
        folder / "generation_config.json",
        {key: config[key] for key in ("bos_token_id", "eos_token_id", "pad_token_id")},
    )
    _write(folder / "tokenizer_config.json", tokenizer_config(metadata))
    (folder / "tokenizer.json").write_text(tokenizer_json(metadata), encoding="utf-8")


def model_config(metadata: dict[str, Any], *, tied: bool, dtype: str) -> dict[str, Any]:
    """The fields of a Llama's config.json from GGUF metadata."""

    def number(key: str) -> Any:
        return metadata[key].item()

    heads, hidden = number("llama.attention.head_count"), number("llama.embedding_length")
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "torch_dtype": dtype,
        "hidden_size": hidden,
        "intermediate_size": number("llama.feed_forward_length"),
        "num_hidden_layers": number("llama.block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": number("llama.attention.head_count_kv"),
        "head_dim": hidden // heads,
        "hidden_act": "silu",
        "max_position_embeddings": number("llama.context_length"),
        "rms_norm_eps": float(f"{number('llama.attention.layer_norm_rms_epsilon'):.6g}"),
        "rope_theta": number("llama.rope.freq_base"),
        "rope_scaling": None,
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": tied,
        "vocab_size": number("llama.vocab_size"),
        "bos_token_id": number("tokenizer.ggml.bos_token_id"),
        "eos_token_id": number("tokenizer.ggml.eos_token_id"),
        "pad_token_id": number("tokenizer.ggml.padding_token_id"),
    }


def tokenizer_json(metadata: dict[str, Any]) -> str:
    """A `tokenizers` file: byte-level BPE that cuts numbers into single digits, as SmolLM's does."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokens = metadata["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ", 1)) for merge in metadata["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab={token: n for n, token in enumerate(tokens)}, merges=merges))
    digits, words = pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, words])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in _control_tokens(metadata)]
    )
    return tokenizer.to_str(pretty=False)


def tokenizer_config(metadata: dict[str, Any]) -> dict[str, Any]:
    """transformers' tokenizer_config.json: special tokens and the chat template."""
    tokens = metadata["tokenizer.ggml.tokens"]

    def token(name: str) -> str:
        return str(tokens[metadata[f"tokenizer.ggml.{name}_token_id"].item()])

    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": token("bos"),
        "eos_token": token("eos"),
        "pad_token": token("padding"),
        "unk_token": token("unknown"),
        "additional_special_tokens": _control_tokens(metadata),
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": metadata["llama.context_length"].item(),
        "chat_template": metadata["tokenizer.chat_template"],
    }


def _control_tokens(metadata: dict[str, Any]) -> list[str]:
    kinds = metadata["tokenizer.ggml.token_type"].tolist()
    return [token for token, kind in zip(metadata["tokenizer.ggml.tokens"], kinds, strict=True) if kind == CONTROL]


def _expand(tensors: "dict[str, mx.array]", heads: int, key_heads: int) -> "Iterator[tuple[str, mx.array]]":
    """Each weight under mlx-lm's name, as floats (output, input) with the halves of RoPE side by side."""
    import mlx.core as mx

    for key, array in tensors.items():
        if not key.endswith(".weight"):
            continue
        stem = key.removesuffix(".weight")
        if f"{stem}.scales" in tensors:
            scales, biases = (tensors[f"{stem}.{part}"].astype(mx.float32) for part in ("scales", "biases"))
            bits = array.shape[-1] * 32 // (scales.shape[-1] * GROUP)
            array = mx.dequantize(array, scales, biases, group_size=GROUP, bits=bits)
        if stem.endswith((".attn_q", ".attn_k")):
            array = split_halves(array, heads if stem.endswith("q") else key_heads)
        yield name_in_mlx(stem) + ".weight", array


def name_in_mlx(stem: str) -> str:
    """`blk.3.attn_q` -> `model.layers.3.self_attn.q_proj`."""
    if match := re.fullmatch(r"blk\.(\d+)\.(\w+)", stem):
        return f"model.layers.{match[1]}.{NAMES[match[2]]}"
    return NAMES[stem]


def split_halves(array: "mx.array", heads: int) -> "mx.array":
    """Undo llama.cpp's order of query and key rows (heads * width, input).

    Its converter interleaves the two halves that RoPE rotates; mlx-lm and transformers want them one after the other.
    """
    rows, columns = array.shape
    return array.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _write(file: Path, value: dict[str, Any]) -> None:
    file.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
