"""A real Ollama with models made from the demo weights; the tests marked `ollama` are skipped without one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from ollama import Client

from pipeline.processes.endpoint import free_port
from pipeline.weights.demo import SMOLLM2, embedding_model
from pipeline.weights.wheels import unpack

MODEL = "sitetwin-demo"
EMBEDDER = "sitetwin-minilm"


@pytest.fixture(scope="session")
def ollama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server's address, without /v1."""
    program = shutil.which("ollama")
    named = os.environ.get("OLLAMA_HOST")
    if not program and not named:
        pytest.skip("no Ollama: put `ollama` on PATH, or name a server with OLLAMA_HOST")
    if named:
        yield named if "://" in named else f"http://{named}"
        return
    assert program is not None
    folder = tmp_path_factory.mktemp("ollama")
    host = f"127.0.0.1:{free_port()}"
    environment = {**os.environ, "OLLAMA_HOST": host, "OLLAMA_MODELS": str(folder / "models"), "HOME": str(folder)}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([program, "serve"], env=environment, stdout=log, stderr=log)
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
            client.get(f"http://{host}/api/version").raise_for_status()
        unpacked = folder / "unpacked"
        unpacked.mkdir()
        unpack(SMOLLM2, unpacked)
        (weights,) = unpacked.rglob("*.gguf")
        modelfile = _modelfile(folder, weights)
        subprocess.run(
            [program, "create", MODEL, "-f", str(modelfile)], env=environment, check=True, capture_output=True
        )
        yield f"http://{host}"
    finally:
        server.terminate()
        server.wait(timeout=30)


@pytest.fixture(scope="session")
def ollama_embedder(ollama: str) -> Iterator[str]:
    """The name of all-MiniLM-L6-v2 on that server."""
    folder = embedding_model()
    names = ["model.safetensors", "config.json", "modules.json", "1_Pooling/config.json", "tokenizer.json"]
    with Client(ollama) as client:
        client.create(EMBEDDER, files={name: client.create_blob(folder / name) for name in names})
        yield EMBEDDER
        client.delete(EMBEDDER)


def _modelfile(folder: Path, weights: Path) -> Path:
    template = (
        "{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n"
    )
    file = folder / "Modelfile"
    # One thread: several spin while they wait for each other, and beside another busy process each answer takes minutes.
    parameters = "PARAMETER stop <|im_end|>\nPARAMETER temperature 0\nPARAMETER num_thread 1\n"
    file.write_text(f'FROM {weights}\nTEMPLATE """{template}"""\n{parameters}')
    return file
