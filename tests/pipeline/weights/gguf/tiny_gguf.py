"""Makes a tiny Llama in GGUF in each quantisation, converts it and compares; prints one JSON object.

Run by test_converting.py: MLX gets its BLAS once in a process, so it is kept out of the one that runs the tests.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pipeline.weights import blas

blas.preload(1)

import mlx.core as mx  # noqa: E402
import mlx_lm  # noqa: E402
import numpy as np  # noqa: E402
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFWriter  # noqa: E402
from gguf.quants import dequantize, quantize  # noqa: E402
from mlx.utils import tree_flatten, tree_unflatten  # noqa: E402
from mlx_lm.models.llama import Model, ModelArgs  # noqa: E402
from tokenizers.pre_tokenizers import ByteLevel  # noqa: E402

from pipeline.weights.gguf.converting import convert  # noqa: E402

TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *sorted(ByteLevel.alphabet()), "he", "Ġw"]
KINDS = ("F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K")
NAMES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
}  # fmt: skip
WIDTH, LAYERS, HEADS, KEY_HEADS = 256, 2, 4, 2
TEXT = "<|im_start|>he w12<|im_end|>"


def main(folder: Path) -> None:
    mx.random.seed(3)
    # Interleaved RoPE on the rows as they lie in the file is what llama.cpp computes.
    theirs = Model(
        ModelArgs(
            model_type="llama",
            hidden_size=WIDTH,
            num_hidden_layers=LAYERS,
            intermediate_size=WIDTH,
            num_attention_heads=HEADS,
            num_key_value_heads=KEY_HEADS,
            rms_norm_eps=1e-5,
            vocab_size=len(TOKENS),
            rope_traditional=True,
        )
    )
    original = dict(tree_flatten(theirs.parameters()))
    report: dict[str, Any] = {}
    for name in KINDS:
        kind = GGMLQuantizationType[name]
        data = {key: _quantised(np.array(array), kind) for key, array in original.items()}
        theirs.update(tree_unflatten([(key, mx.array(dequantize(*one))) for key, one in data.items()]))
        write(folder / f"{name}.gguf", data)
        (folder / name).mkdir()
        convert(folder / f"{name}.gguf", folder / name, "float32")
        ours, tokenizer = mlx_lm.load(str(folder / name))[:2]
        ids = tokenizer.encode(TEXT)
        expected, found = theirs(mx.array([ids])), ours(mx.array([ids]))
        report[name] = {"largest": mx.abs(expected).max().item(), "difference": mx.abs(expected - found).max().item()}
    report |= {"tokens": tokenizer.convert_ids_to_tokens(ids), "text": tokenizer.decode(ids)}
    report["ends"] = sorted(tokenizer.eos_token_ids)
    print(json.dumps(report))


def write(file: Path, data: dict[str, tuple[np.ndarray, GGMLQuantizationType]]) -> None:
    """Each weight under llama.cpp's name."""
    writer = GGUFWriter(file, "llama")
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_context_length(64)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(TOKENS)
    writer.add_token_merges(["h e", "Ġ w"])
    writer.add_token_types([3, 3, 3] + [1] * (len(TOKENS) - 3))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template("{{ messages[0]['content'] }}")
    for name, (array, kind) in data.items():
        parts = name.removesuffix(".weight").split(".")
        key = f"blk.{parts[2]}.{NAMES['.'.join(parts[3:])]}" if parts[1] == "layers" else _outside(parts[1])
        writer.add_tensor(f"{key}.weight", array, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _outside(name: str) -> str:
    return {"embed_tokens": "token_embd", "norm": "output_norm"}[name]


def _quantised(array: np.ndarray, kind: GGMLQuantizationType) -> tuple[np.ndarray, GGMLQuantizationType]:
    """A matrix as `kind` stores it, vectors as they are; the K kinds, which the package only reads, by chance."""
    if array.ndim == 1:
        return array, GGMLQuantizationType.F32
    if not kind.name.endswith("_K"):
        return quantize(array, kind), kind
    block, size = GGML_QUANT_SIZES[kind]
    random = np.random.default_rng(1)
    data = random.integers(0, 256, (array.shape[0], array.shape[1] // block, size), dtype=np.uint8)
    # Any bits are numbers but those of the scales, which are fp16 at the begin or the end of a block.
    scales = {"Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,)}[kind.name]
    for place in scales:
        data[:, :, place : place + 2] = np.frombuffer(np.float16(1e-3).tobytes(), np.uint8)
    return data.reshape(array.shape[0], -1), kind


if __name__ == "__main__":
    main(Path(sys.argv[1]))
