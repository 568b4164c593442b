"""A real Ollama with a model made from the demo weights; the tests marked `ollama` are skipped without one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pipeline.models.demo import SMOLLM2
from pipeline.models.wheels import unpack
from pipeline.processes.endpoint import free_port

MODEL = "sitetwin-demo"


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


def _modelfile(folder: Path, weights: Path) -> Path:
    template = (
        "{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n"
    )
    file = folder / "Modelfile"
    file.write_text(f'FROM {weights}\nTEMPLATE """{template}"""\nPARAMETER stop <|im_end|>\nPARAMETER temperature 0\n')
    return file
