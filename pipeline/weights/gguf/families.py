"""The supported model families, and their configuration in llama.cpp's and in transformers' terms."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NUMBERS = {
    # config.json: the key in GGUF after the architecture
    "hidden_size": "embedding_length",
    "intermediate_size": "feed_forward_length",
    "num_hidden_layers": "block_count",
    "num_attention_heads": "attention.head_count",
    "num_key_value_heads": "attention.head_count_kv",
    "max_position_embeddings": "context_length",
}
WINDOW, WINDOW_PATTERN = "attention.sliding_window", "attention.sliding_window_pattern"
LOCAL_THETA = "rope.freq_base_swa"
GEMMA3_PATTERN = 6
"""One of so many layers attends to everything, the others to a window. So in every Gemma 3, and in llama.cpp's code."""


@dataclass(frozen=True, slots=True)
class Family:
    """What the conversion has to know of one family of models."""

    arch: str
    """GGUF's `general.architecture`."""
    model_type: str
    """`model_type` in config.json."""
    class_name: str
    """The model class of transformers."""
    is_interleaved: bool = False
    """Whether llama.cpp interleaves the two halves of each head's query and key rows that RoPE rotates."""
    norm_offset: float = 0.0
    """Added to the weights of norms in a GGUF: transformers stores Gemma's as the difference from 1."""
    activation: str = "silu"
    has_head_width: bool = True
    """Whether config.json has `head_dim`; otherwise it is hidden size / heads."""
    layers_of_other_scale: int = 0
    """The model with so many layers divides attention scores by sqrt(hidden size / heads), not by sqrt(head width)."""


LLAMA = Family("llama", "llama", "LlamaForCausalLM", is_interleaved=True)
QWEN2 = Family("qwen2", "qwen2", "Qwen2ForCausalLM", has_head_width=False)
QWEN3 = Family("qwen3", "qwen3", "Qwen3ForCausalLM")
GEMMA2 = Family(
    "gemma2", "gemma2", "Gemma2ForCausalLM",
    norm_offset=1.0, activation="gelu_pytorch_tanh", layers_of_other_scale=46,
)  # fmt: skip
GEMMA3 = Family(
    "gemma3", "gemma3_text", "Gemma3ForCausalLM",
    norm_offset=1.0, activation="gelu_pytorch_tanh", layers_of_other_scale=62,
)  # fmt: skip
FAMILIES = (LLAMA, QWEN2, QWEN3, GEMMA2, GEMMA3)
NAMES = "Llama, Mistral, Qwen 2, Qwen 3, Gemma 2 and Gemma 3"


def family_of(arch: str) -> Family | None:
    """The family of a GGUF's `general.architecture`; None if it is unknown."""
    return next((family for family in FAMILIES if family.arch == arch), None)


def family_of_type(model_type: str) -> Family | None:
    """The family of a config.json's `model_type`; None if it is unknown. llama.cpp and mlx-lm treat a Mistral as a Llama."""
    if model_type == "mistral":
        return LLAMA
    return next((family for family in FAMILIES if family.model_type == model_type), None)


def attention_scale_of(family: Family, config: Mapping[str, Any]) -> int:
    """`query_pre_attn_scalar`: llama.cpp divides attention scores by its square root. No GGUF stores it."""
    if config["num_hidden_layers"] == family.layers_of_other_scale:
        return int(config["hidden_size"] // config["num_attention_heads"])
    return int(config["head_dim"])


def config_of(family: Family, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of config.json that a GGUF's `metadata` determines.

    Raises:
        KeyError: the metadata lacks one.
    """
    prefix = f"{family.arch}."

    def get(key: str, default: Any) -> Any:
        return metadata.get(prefix + key, default)

    config = {key: metadata[prefix + name] for key, name in NUMBERS.items() if key != "num_key_value_heads"}
    heads = config["num_attention_heads"]
    config |= {
        "num_key_value_heads": get("attention.head_count_kv", heads),
        "head_dim": get("attention.key_length", config["hidden_size"] // heads),
        # A GGUF stores it in 32 bits, where 1e-05 becomes 9.99999974e-06.
        "rms_norm_eps": float(f"{metadata[prefix + 'attention.layer_norm_rms_epsilon']:.6g}"),
        "rope_theta": get("rope.freq_base", 10_000.0),
        "rope_scaling": None,
    }
    if get("rope.scaling.type", "none") == "linear":
        config["rope_scaling"] = {"rope_type": "linear", "factor": get("rope.scaling.factor", 1.0)}
    if family in (GEMMA2, GEMMA3):
        config |= {
            "query_pre_attn_scalar": attention_scale_of(family, config),
            "sliding_window": get(WINDOW, 4096),
            "hidden_activation": family.activation,
        }
    if family is GEMMA2:
        config |= {
            "attn_logit_softcapping": get("attn_logit_softcapping", 50.0),
            "final_logit_softcapping": get("final_logit_softcapping", 30.0),
        }
    if family is GEMMA3:
        config |= {
            "rope_local_base_freq": get(LOCAL_THETA, 10_000.0),
            "sliding_window_pattern": _pattern(get(WINDOW_PATTERN, GEMMA3_PATTERN)),
        }
    return config


def metadata_of(family: Family, config: Mapping[str, Any]) -> dict[str, Any]:
    """The GGUF metadata of a model, by key: the inverse of `config_of`.

    Args:
        config: all arguments of mlx-lm's model of the family, defaults included.
    """
    width = config["head_dim"]
    values = {name: config[key] for key, name in NUMBERS.items()} | {
        "attention.key_length": width,
        "attention.value_length": width,
        "attention.layer_norm_rms_epsilon": float(config["rms_norm_eps"]),
        "rope.dimension_count": width,
        "rope.freq_base": float(config["rope_theta"]),
        "vocab_size": config["vocab_size"],
    }
    scaling = config.get("rope_scaling") or {}
    if scaling.get("rope_type", scaling.get("type")) == "linear":
        values |= {"rope.scaling.type": "linear", "rope.scaling.factor": float(scaling["factor"])}
    if family is GEMMA2:
        values |= {key: float(config[key]) for key in ("attn_logit_softcapping", "final_logit_softcapping")}
        values |= {WINDOW: config.get("sliding_window") or 4096}
    if family is GEMMA3:
        # llama.cpp reads the first key, Ollama the others.
        local, everywhere = float(config["rope_local_base_freq"]), float(config["rope_theta"])
        values |= {LOCAL_THETA: local, "rope.local.freq_base": local, "rope.global.freq_base": everywhere}
        values |= {WINDOW: config["sliding_window"]}
    return {f"{family.arch}.{key}": value for key, value in values.items()}


def _pattern(value: int | list[bool]) -> int:
    """Number of layers of which one attends to everything. Newer files store for each layer whether it has a window."""
    return value.index(False) + 1 if isinstance(value, list) else value
