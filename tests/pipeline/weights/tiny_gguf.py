"""Makes a tiny Llama in GGUF, converts it and compares; prints one JSON object. Run by test_gguf.py.

MLX gets its BLAS once in a process, so it is kept out of the one that runs the tests.
"""

import json
import sys
from pathlib import Path

from pipeline.weights import blas

blas.preload(1)

import mlx.core as mx  # noqa: E402
import mlx_lm  # noqa: E402
from mlx_lm.models.llama import Model, ModelArgs  # noqa: E402
from tokenizers.pre_tokenizers import ByteLevel  # noqa: E402

from pipeline.weights.gguf import NAMES, convert  # noqa: E402

TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *sorted(ByteLevel.alphabet()), "he", "Ġw"]
FIELDS = {
    "embedding_length": 32,
    "feed_forward_length": 64,
    "block_count": 2,
    "attention.head_count": 4,
    "attention.head_count_kv": 2,
    "context_length": 64,
    "vocab_size": len(TOKENS),
}
METADATA = {
    "general.architecture": "llama",
    **{f"llama.{key}": mx.array(value, mx.uint32) for key, value in FIELDS.items()},
    "llama.attention.layer_norm_rms_epsilon": mx.array(1e-5),
    "llama.rope.freq_base": mx.array(10000.0),
    "tokenizer.ggml.tokens": TOKENS,
    "tokenizer.ggml.merges": ["h e", "Ġ w"],
    "tokenizer.ggml.token_type": mx.array([3, 3, 3] + [1] * (len(TOKENS) - 3), mx.int32),
    **{
        f"tokenizer.ggml.{name}_token_id": mx.array(number, mx.uint32)
        for name, number in {"bos": 1, "eos": 2, "padding": 2, "unknown": 0}.items()
    },
    "tokenizer.chat_template": "{{ messages[0]['content'] }}",
}


def main(folder: Path) -> None:
    mx.random.seed(3)
    # Interleaved RoPE on the rows as they lie in the file is what llama.cpp computes.
    theirs = Model(
        ModelArgs(
            model_type="llama",
            hidden_size=32,
            num_hidden_layers=2,
            intermediate_size=64,
            num_attention_heads=4,
            num_key_value_heads=2,
            rms_norm_eps=1e-5,
            vocab_size=len(TOKENS),
            rope_traditional=True,
        )
    )
    in_gguf = {name: key for key, name in NAMES.items()}
    arrays = {}
    for name, array in mlx_lm.utils.tree_flatten(theirs.parameters()):
        parts = name.removesuffix(".weight").split(".")
        layer = f"blk.{parts[2]}." if parts[1] == "layers" else ""
        key = layer + in_gguf[".".join(parts[3:] if layer else parts)]
        arrays[f"{key}.weight"] = array
    mx.save_gguf(str(folder / "tiny.gguf"), arrays, METADATA)
    (folder / "model").mkdir()
    convert(folder / "tiny.gguf", folder / "model", "float32")

    ours, tokenizer = mlx_lm.load(str(folder / "model"))
    ids = tokenizer.encode("<|im_start|>he w12<|im_end|>")
    expected, found = theirs(mx.array([ids])), ours(mx.array([ids]))
    report = {
        "largest": mx.abs(expected).max().item(),
        "difference": mx.abs(expected - found).max().item(),
        "tokens": tokenizer.convert_ids_to_tokens(ids),
        "text": tokenizer.decode(ids),
    }
    print(json.dumps(report))


main(Path(sys.argv[1]))
