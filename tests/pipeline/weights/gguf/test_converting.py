import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGUFWriter

from pipeline.errors import ModelError
from pipeline.weights.gguf.converting import convert

TINY = Path(__file__).with_name("tiny_gguf.py")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What tiny_gguf.py says."""
    folder = tmp_path_factory.mktemp("tiny")
    return json.loads(subprocess.check_output([sys.executable, str(TINY), str(folder)], text=True))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "kind", ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"]
)
def test_a_converted_model_gives_the_logits_of_its_gguf(report: dict[str, Any], kind: str) -> None:
    assert report[kind]["largest"] > 0.1
    assert report[kind]["difference"] < 1e-4 * report[kind]["largest"]


def test_its_tokenizer_cuts_as_smollms_does(report: dict[str, Any]) -> None:
    assert report["tokens"] == ["<|im_start|>", "he", "Ġw", "1", "2", "<|im_end|>"]
    assert report["text"] == "<|im_start|>he w12<|im_end|>"
    # <|endoftext|> stands for what is unknown, and ends nothing.
    assert report["ends"] == [2]


def write(file: Path, arch: str = "llama", **values: Any) -> Path:
    """A GGUF with no weights but an embedding."""
    writer = GGUFWriter(file, arch)
    for key, value in values.items():
        name = key.replace("__", ".")
        if isinstance(value, list):
            writer.add_array(name, value)
        else:
            (writer.add_uint32 if isinstance(value, int) else writer.add_string)(name, value)
    writer.add_tensor("token_embd.weight", np.zeros((4, 8), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


@pytest.mark.parametrize(
    ("arch", "values", "reason"),
    [
        ("mamba", {}, "its architecture is 'mamba', and Llama, Mistral, Qwen 2, Qwen 3, Gemma 2 and Gemma 3 are known"),
        ("qwen2", {"tokenizer__ggml__model": "gpt2", "tokenizer__ggml__pre": "viking"}, "unknown here, 'viking'"),
        ("llama", {"tokenizer__ggml__model": "t5"}, "its tokenizer is of the kind 't5'"),
        ("llama", {"tokenizer__ggml__model": "llama"}, "it does not say 'llama.embedding_length'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_do(
    tmp_path: Path, arch: str, values: dict[str, Any], reason: str
) -> None:
    file = write(tmp_path / "odd.gguf", arch, **values)
    with pytest.raises(
        ModelError, match=r"odd\.gguf can't be read here \(.*`ollama create NAME`.*MLX format"
    ) as caught:
        convert(file, tmp_path, "float32")
    assert reason in str(caught.value)


def test_a_part_of_a_model_is_to_be_joined_first(tmp_path: Path) -> None:
    file = tmp_path / "part.gguf"
    writer = GGUFWriter(file, "llama")
    writer.add_uint16("split.count", 3)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ModelError, match=r"one of 3 parts of a model: join them with .*--merge"):
        convert(file, tmp_path, "float32")


@pytest.mark.parametrize("content", [b"", b"not a model at all, but some text", b"GGUF\x03\0\0\0\xff\xff"])
def test_a_file_that_is_no_gguf_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.gguf").write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.gguf can't be read as GGUF .*: fetch it again"):
        convert(tmp_path / "broken.gguf", tmp_path, "float32")
