"""The engine beside a real Ollama on the same weights: tokens a second that are read and that are written.

Both are asked over HTTP as any client asks them, in turns. Ollama makes its own GGUF of the same folder, in 8 and in 4
bits; on a Linux CPU the engine holds 32 bits, because only those products are fast in MLX there.
"""

import json
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click
import httpx

from pipeline.processes.endpoint import HOST, answers, free_port

BITS = ("q8_0", "q4_K_M")
PROMPT_WORDS = 500
"""Of each prompt, all different, so that none was read before."""


class Speed(NamedTuple):
    """Tokens a second."""

    read: float
    written: float


@contextmanager
def ollama(models: Path, seconds: float = 60) -> Iterator[str]:
    """A server of its own with an empty store in `models`; gives its address.

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


def create(url: str, folder: Path, bits: str, work: Path) -> str:
    """Has Ollama make a model of the folder; returns its name."""
    program = shutil.which("ollama") or "ollama"
    file = work / "Modelfile"
    file.write_text(f"FROM {folder}\n", encoding="utf-8")
    environment = {**os.environ, "OLLAMA_HOST": url.removeprefix("http://")}
    command = [program, "create", f"peer-{bits.lower()}", "--quantize", bits, "-f", str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise click.ClickException(f"ollama create: {done.stderr.strip()[-300:]}")
    return f"peer-{bits.lower()}"


def speed(url: str, model: str, number: int, tokens: int) -> Speed:
    """Of one chat.

    Args:
        url: up to and with the version.
        number: another one for each chat of a measurement.
        tokens: of the answer, at most.
    """
    words = " ".join(f"{number * 7919 + place}" for place in range(PROMPT_WORDS // 5))
    text = f"{number}. Here are numbers: {words}. Tell a long story about them."
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
    with httpx.stream("POST", f"{url}/chat/completions", json=body, timeout=600, trust_env=False) as answer:
        answer.raise_for_status()
        for line in answer.iter_lines():
            if not line.startswith("data: {"):
                continue
            part = json.loads(line.removeprefix("data: "))
            usage = part.get("usage") or usage
            if part["choices"] and part["choices"][0]["delta"].get("content"):
                last = time.perf_counter()
                first = last if first == started else first
    written = (usage["completion_tokens"] - 1) / (last - first) if last > first else 0.0
    return Speed(usage["prompt_tokens"] / (first - started), written)


def measure_peer(url: str, model: str, folder: Path, work: Path, rounds: int, tokens: int) -> dict[str, float | str]:
    """The engine at `url`, whose base is in `folder`, and Ollama on the same weights.

    Returns:
        tokens a second, and `ollama_ratio_…`: Ollama's over the engine's, so above 1 Ollama is faster.
    """
    with ollama(work / "models") as peer:
        ways = {"engine": (url, model), **{bits: (f"{peer}/v1", create(peer, folder, bits, work)) for bits in BITS}}
        measured: dict[str, list[Speed]] = {name: [] for name in ways}
        for number in range(rounds + 1):
            for at, (name, (address, known_as)) in enumerate(ways.items()):
                found = speed(address, known_as, 10 * number + at + 1, tokens)
                measured[name] += [found] if number else []  # the first one loads
    return _figures(measured)


def _figures(measured: dict[str, list[Speed]]) -> dict[str, float | str]:
    medians = {name: Speed(*map(statistics.median, zip(*speeds, strict=True))) for name, speeds in measured.items()}
    figures: dict[str, float | str] = {}
    for name, found in medians.items():
        figures[f"read_{name}"] = round(found.read, 1)
        figures[f"written_{name}"] = round(found.written, 1)
    for bits in BITS:
        figures[f"ollama_ratio_read_{bits}"] = round(medians[bits].read / medians["engine"].read, 2)
        figures[f"ollama_ratio_written_{bits}"] = round(medians[bits].written / medians["engine"].written, 2)
    return figures
