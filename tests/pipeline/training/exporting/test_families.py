"""Every family to GGUF and back, and into a real Ollama."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import mlx_lm
import numpy as np
import pytest
from gguf.vocab import bytes_to_unicode
from mlx.utils import tree_map
from mlx_lm.utils import load_tokenizer
from ollama import Client

from pipeline.settings import Settings, load_settings
from pipeline.training.exporting.fused import fuse
from pipeline.training.exporting.gguf import write_gguf
from pipeline.training.exporting.source import ExportSource, find_source
from pipeline.weights.chat_template import ChatTemplate
from pipeline.weights.locating import resolve_chat_model
from tests.exported_families import BYTE_LEVEL, CONFIGS
from tests.pipeline.commands.test_exporting import sitetwin
from tests.pipeline.training.exporting.models import IDS, logits

QUESTION = "Was heißt 2026-11-21 (um 09:30)?\n\n```sh\nsitetwin  up --x=1\n```\n日本語 🎉  it's"
CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": QUESTION},
    {"role": "assistant", "content": "The notes are in the shed."},
    {"role": "user", "content": "Why?"},
]


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("families")
    subprocess.run([sys.executable, "-m", "tests.exported_families", str(folder)], check=True, capture_output=True)
    return folder


@pytest.fixture(params=CONFIGS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def site(tmp_path: Path, families: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A site whose chat model is the family's, with an adapter called like it."""
    monkeypatch.setenv("SITETWIN_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "sitetwin.toml"
    file.write_text(f'[models]\nchat = {json.dumps(str(families / name))}\n[persona]\nprompt = "Be brief."\n', "utf-8")
    settings = load_settings(file)
    shutil.copytree(families / "adapters" / name, settings.state / "adapters" / name)
    return settings


def halved(source: ExportSource) -> nn.Module:
    """The fused model, its matrices rounded to 16 bits as a GGUF has them: a random model says other things then."""
    model = fuse(source, dequantise=True)[0]
    model.update(
        tree_map(
            lambda array: array.astype(mx.float16).astype(mx.float32) if array.ndim == 2 else array, model.parameters()
        )
    )
    return model


def test_a_gguf_read_back_is_the_same_model(site: Settings, name: str, tmp_path: Path) -> None:
    source = find_source(site, name)
    model, config = fuse(source, dequantise=True)
    write_gguf(source, model, config, tmp_path / "model.gguf")
    folder = resolve_chat_model(str(tmp_path / "model.gguf"))
    assert isinstance(folder, Path)
    expected = np.array(halved(source)(IDS)[0])
    assert np.abs(expected).max() > 1
    assert np.abs(expected - logits(folder)).max() < 1e-3
    ours, found = source.tokenizer, load_tokenizer(folder)
    assert found.encode(QUESTION) == ours.encode(QUESTION)
    assert found.decode(found.encode(QUESTION, add_special_tokens=False)) == QUESTION
    assert ChatTemplate(found).prompt(CHAT) == ChatTemplate(ours).prompt(CHAT)
    assert ours.eos_token_ids <= found.eos_token_ids


@pytest.mark.ollama
def test_ollama_reads_and_says_what_the_adapter_does(
    ollama: str, site: Settings, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", ollama)
    monkeypatch.setenv("SITETWIN_ENGINE__THREADS", "1")
    done = json.loads(sitetwin(site, "export", name, "--to", "ollama", "--question", QUESTION, "--json").stdout)
    assert done["warnings"] == []
    assert Path(done["folder"], "Modelfile").read_text("utf-8").startswith("FROM ./model.gguf\nTEMPLATE ")
    source = find_source(site, name)
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
    ids = ChatTemplate(source.tokenizer).prompt(chat)
    with Client(ollama, timeout=300) as client:
        try:
            response = client.generate(name, QUESTION, options={"num_predict": 6, "temperature": 0})
        finally:
            client.delete(name)
    assert response.context
    # Ollama counts the first token but does not return it, and may have joined the last one with its answer.
    begin = int(ids[0] == source.tokenizer.bos_token_id)
    assert response.prompt_eval_count == len(ids)
    assert list(response.context)[: len(ids) - begin - 1] == ids[begin:-1]
    said = [piece.token for piece in mlx_lm.stream_generate(halved(source), source.tokenizer, ids, max_tokens=6)]
    # A random model begins characters that it does not finish, and Ollama leaves those out.
    expected = plain(source.tokenizer.convert_ids_to_tokens(said), is_byte_level=name in BYTE_LEVEL)
    heard = [character for character in response.response if character.isascii()]
    assert heard
    assert expected[: len(heard)] == heard


def plain(tokens: list[str], *, is_byte_level: bool) -> list[str]:
    """The ASCII characters of some tokens."""
    if is_byte_level:
        bytes_ = {text: byte for byte, text in bytes_to_unicode().items()}
        found = [bytes_[character] for token in tokens for character in token]
    else:
        pieces = [re.fullmatch(r"<0x(..)>", token) for token in tokens]
        found = [
            byte
            for token, piece in zip(tokens, pieces, strict=True)
            for byte in (bytes([int(piece[1], 16)]) if piece else token.replace("▁", " ").encode())
        ]
    return [chr(byte) for byte in found if byte < 128]
