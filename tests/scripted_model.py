"""A tiny model that says what a test writes down, in its own engine: each token determines the next one.

Its embeddings are one-hot, its one layer adds nothing, and its output matrix holds the script. So a whole thinking model,
or one that calls tools, can be tried with the real templates of its family. It is made without MLX.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from tests.families import tokenizer

SURE = 5.0
"""How much likelier the next token of the script is than any other; times about 17 as a logit."""


def make_scripted_model(folder: Path, family: str, script: Sequence[str], again: str = "") -> None:
    """A model of the family with its tokenizer.

    Args:
        script: its reply, in pieces of which each becomes one token; none may occur twice.
        again: a piece that is said for ever, once it is reached. A forced token, such as the end of a thought, goes on with
            the script.
    """
    assert len(set(script)) == len(script)
    fast = tokenizer(family)
    fast.add_tokens([piece for piece in script if piece not in fast.get_vocab()])
    fast.save_pretrained(folder)
    words = len(fast)
    # Every generation prompt ends in a line break.
    (begin,) = fast.encode("\n", add_special_tokens=False)
    said = [begin, *fast.convert_tokens_to_ids(list(script)), fast.eos_token_id]
    follows = np.full(words, fast.eos_token_id)
    follows[said[:-1]] = said[1:]
    if again:
        follows[fast.convert_tokens_to_ids(again)] = fast.convert_tokens_to_ids(again)
    output = np.zeros((words, words), np.float32)
    output[follows, np.arange(words)] = SURE
    _write(folder, words, output, fast.eos_token_id)


def _write(folder: Path, words: int, output: np.ndarray, end: int) -> None:
    width = 8
    config = {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": words, "head_dim": width,
        "num_hidden_layers": 1, "intermediate_size": width, "num_attention_heads": 1, "num_key_value_heads": 1,
        "rms_norm_eps": 1e-5, "vocab_size": words, "tie_word_embeddings": False, "eos_token_id": end,
        "max_position_embeddings": 4096, "rope_theta": 10000.0,
    }  # fmt: skip
    wide = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "mlp.gate_proj", "mlp.up_proj"}
    shapes = dict.fromkeys(wide, (width, words)) | dict.fromkeys(("self_attn.o_proj", "mlp.down_proj"), (words, width))
    weights = {f"model.layers.0.{name}.weight": np.zeros(shape, np.float32) for name, shape in shapes.items()}
    for norm in ("model.norm", "model.layers.0.input_layernorm", "model.layers.0.post_attention_layernorm"):
        weights[f"{norm}.weight"] = np.ones(words, np.float32)
    weights["model.embed_tokens.weight"] = np.eye(words, dtype=np.float32)
    weights["lm_head.weight"] = output
    save_file(weights, folder / "model.safetensors", {"format": "mlx"})
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
