import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from pipeline.weights.gguf import name_in_mlx, split_halves

TINY = Path(__file__).with_name("tiny_gguf.py")


def test_names_are_mlx_lms() -> None:
    assert name_in_mlx("blk.12.attn_q") == "model.layers.12.self_attn.q_proj"
    assert name_in_mlx("blk.0.ffn_norm") == "model.layers.0.post_attention_layernorm"
    assert name_in_mlx("token_embd") == "model.embed_tokens"
    assert name_in_mlx("output") == "lm_head"


def test_query_rows_are_put_back() -> None:
    heads, width = 2, 6
    original = np.arange(heads * width)[:, None]
    # llama.cpp's converter: the two halves of each head's rows alternate.
    permuted = original.reshape(heads, 2, width // 2, 1).swapaxes(1, 2).reshape(original.shape)
    assert permuted[:4, 0].tolist() == [0, 3, 1, 4]
    assert split_halves(permuted, heads).tolist() == original.tolist()


def test_a_converted_model_gives_the_logits_of_its_gguf(tmp_path: Path) -> None:
    report = json.loads(subprocess.check_output([sys.executable, str(TINY), str(tmp_path)], text=True))
    assert report["largest"] > 0.1
    assert report["difference"] < 1e-5
    assert report["tokens"] == ["<|im_start|>", "he", "Ġw", "1", "2", "<|im_end|>"]
    assert report["text"] == "<|im_start|>he w12<|im_end|>"
