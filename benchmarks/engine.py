"""The engine: the cost of changing the adapter, the number of chats that it can serve, and its speed beside other work.

    python -m benchmarks.engine [--part swap --part soak …] [--peer ollama] [--no-int8] [--rounds 3] [--tokens 48] [--json]

It uses the demo model and random adapters of the size of a full LoRA of rank 16. The compared sides take turns. The
engine holds its weights as by default, in 8 bits where the CPU can, unless `--no-int8` is given; swap always measures the
exact weights.

swap: `swap_ratio`, which is also `ratio`, is the time for a change of adapter in mlx_lm.server, which loads the model
again, divided by the time in this engine for an adapter that it has not read before. `change_ms` is the time for an
adapter that it has read. Both run in one process on the same BLAS.

chats: different requests at temperature 0 to a running engine, and the same ones to a running mlx_lm.server on the same
BLAS. Half of the `mixed` chats ask the base, half ask two adapters. `base_unchanged` says whether the base gives exactly
the same probabilities before and after the use of adapters.

memory: resident gigabytes of the engine and of mlx_lm.server, during and after different chats of a thousand tokens,
eight at a time in each round.

soak: random requests at the same time, which must all be answered: see `engine_soak`. `failed` is 0 if they were.

With `--peer ollama` (the demo model) or `--peer ollama-large` (the model of half a billion weights of `lab_model`) only
the comparison with Ollama is measured: see `engine_peer`.

beside: the speed of one chat while `sitetwin index` and `sitetwin train` work, over its speed while they are stopped.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
import httpx
import numpy as np
import psutil

from benchmarks.engine_peer import demo_file, measure_peer
from benchmarks.engine_soak import bearer, soak
from benchmarks.lab_model import lab_file, lab_model
from benchmarks.report import render
from benchmarks.running import newcomers_folder
from benchmarks.synthetic import notes, sentences
from pipeline.adapters import CONFIG, WEIGHTS, AdapterCard, adapters_directory, base_hash, find_adapter_in, write_card
from pipeline.processes import engine, vectors
from pipeline.processes.endpoint import HOST, Endpoint, answers, end_family, free_port
from pipeline.settings import ContentSource, EngineSettings, ModelSettings, Settings
from pipeline.weights import blas, demo

RANK = 16
KEYS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
ADAPTERS = ("one", "two")
CHATS = (1, 4, 16)
PARTS = ("swap", "chats", "memory", "beside", "soak")
PEER_TITLE = "The engine beside Ollama, tokens a second; ratios above 1: Ollama is faster"
SOAK_REQUESTS, SOAK_AT_A_TIME = 200, 24
SITETWIN = (sys.executable, "-m", "pipeline")
AT_WORK_SECONDS = 12
"""CPU seconds after which a command has imported and read what it needs."""
LONG_CHARACTERS = 4500
"""Characters of about a thousand tokens."""
MEMORY_TOKENS = 8
"""Longest answer to a long prompt, in tokens."""
NOTES = 12_000
"""More notes than are indexed while the chats are measured."""
Figures = dict[str, float | str]


def make_adapter(folder: Path, base: Path, seed: int) -> None:
    """Write a random LoRA on every layer of `base`, which is not quantised, in mlx-lm's files."""
    from safetensors import safe_open
    from safetensors.numpy import save_file

    random = np.random.default_rng(seed)
    arrays: dict[str, np.ndarray] = {}
    with safe_open(str(next(base.glob("model*.safetensors"))), framework="numpy") as weights:
        for name in weights.keys():  # noqa: SIM118
            path = name.removesuffix(".weight")
            if path.rpartition(".")[2] in KEYS:
                rows, columns = weights.get_slice(name).get_shape()
                arrays[f"{path}.lora_a"] = random.normal(0, 0.02, (columns, RANK)).astype(np.float32)
                arrays[f"{path}.lora_b"] = random.normal(0, 0.02, (RANK, rows)).astype(np.float32)
    folder.mkdir(parents=True)
    save_file(arrays, folder / WEIGHTS)
    keys = sorted({name.split(".", 3)[3].rpartition(".")[0] for name in arrays})
    parameters = {"rank": RANK, "scale": 2.0, "dropout": 0.0, "keys": keys}
    config = {"fine_tune_type": "lora", "num_layers": -1, "lora_parameters": parameters}
    (folder / CONFIG).write_text(json.dumps(config), encoding="utf-8")
    write_card(folder, AdapterCard(base=base.name, base_hash=base_hash(base), visibility="public"))


def seconds(work: Callable[[], object]) -> float:
    """The seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure_swap(directory: Path, base: Path, rounds: int) -> Figures:
    """Times of a change of adapter in this process: with mlx_lm.server's provider, and with this engine's overlays.

    Args:
        directory: folder with `ADAPTERS`.
    """
    blas.preload()
    import mlx_lm.server

    from pipeline.engine.base import Base
    from pipeline.engine.overlays import Overlays
    from pipeline.weights.upstream import server_arguments

    ours = Base(str(base), base.name, directory)
    theirs = mlx_lm.server.ModelProvider(server_arguments(str(base)))
    first, change, reload = [], [], []
    known = Overlays(directory, ours.model, str(base), base.name)
    for name in ADAPTERS:
        known.get(name)
    for number in range(2 * rounds):
        name = ADAPTERS[number % 2]
        path = str(find_adapter_in(directory, name).folder)
        new = Overlays(directory, ours.model, str(base), base.name)
        new.get(ADAPTERS[1 - number % 2])  # the base's hash is computed once in an engine's life
        first.append(seconds(partial(new.get, name)))
        change.append(seconds(partial(known.get, name)))
        reload.append(seconds(partial(theirs.load, str(base), path, None)))
    medians = {"reload_ms": reload, "swap_ms": first, "change_ms": change}
    figures = {name: round(statistics.median(values) * 1000, 2) for name, values in medians.items()}
    return {**figures, "swap_ratio": round(statistics.median(reload) / statistics.median(first), 1)}


class Chats:
    """Sends requests to a running server, each with another question.

    Args:
        url: the server's address up to the version.
        tokens: longest answer, in tokens.
        more: text added to each question.
        key: that the server asks for.
    """

    def __init__(self, url: str, tokens: int, more: str = "", key: str = "") -> None:
        self._url = url
        self._headers = bearer(key)
        self._tokens = tokens
        self._more = more
        self._number = 0

    def post(self, question: str, **options: object) -> dict:  # type: ignore[type-arg]
        """The server's answer to one question, as JSON."""
        body = {"messages": [{"role": "user", "content": question}], **options}
        answer = httpx.post(
            f"{self._url}/chat/completions", json=body, headers=self._headers, timeout=600, trust_env=False
        )
        return answer.raise_for_status().json()  # type: ignore[no-any-return]

    def together(self, adapters: Sequence[str | None]) -> float:
        """Total tokens per second of one chat for each entry of `adapters`, all at the same time."""

        def ask(number: int, adapter: str | None) -> int:
            question = f"Tell me a long story about the number {number}. {self._more}"
            answer = self.post(question, max_tokens=self._tokens, adapters=adapter)
            return int(answer["usage"]["completion_tokens"])

        numbers = range(self._number, self._number + len(adapters))
        self._number += len(adapters)
        started = time.perf_counter()
        with ThreadPoolExecutor(len(adapters)) as pool:
            tokens = sum(pool.map(ask, numbers, adapters))
        return tokens / (time.perf_counter() - started)

    def base_probabilities(self) -> str:
        """The log probabilities of one answer of the base, as JSON text."""
        # Asked alone, because the last digits depend on the number of rows in a batch.
        answer = self.post("What is tea?", max_tokens=16, logprobs=True)
        return json.dumps(answer["choices"][0]["logprobs"])


def engine_chats(settings: Settings, tokens: int) -> Chats:
    """With the engine of a site."""
    client = engine.connect(settings)
    return Chats(client.base_url, tokens, key=client.api_key)


@contextmanager
def mlx_lm_server(base: Path, seconds: float = 60) -> Iterator[tuple[str, int]]:
    """mlx-lm's server with its own settings, on the engine's BLAS. Yields its URL and process id."""
    port = free_port()
    code = "from pipeline.weights import blas; blas.preload(); from mlx_lm.server import main; main()"
    options = ("--model", str(base), "--host", HOST, "--port", str(port), "--log-level", "ERROR")
    process = subprocess.Popen([sys.executable, "-c", code, *options], stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + seconds
        while not answers(f"http://{HOST}:{port}/v1/models"):
            if process.poll() is not None or time.monotonic() > end:
                raise click.ClickException("mlx_lm.server did not start")
            time.sleep(0.1)
        yield f"http://{HOST}:{port}/v1", process.pid
    finally:
        process.terminate()
        process.wait()


def measure_chats(ours: Chats, base: Path, rounds: int, tokens: int, counts: Sequence[int] = CHATS) -> Figures:
    """Tokens per second of the engine behind `ours`, and of mlx_lm.server, both with the base `base`."""
    before = ours.base_probabilities()
    speeds: dict[str, list[float]] = {}
    with mlx_lm_server(base) as (their_url, _):
        theirs = Chats(their_url, tokens)
        ways: dict[str, Callable[[], float]] = {"1_adapter": partial(ours.together, [ADAPTERS[0]])}
        for count in counts:
            plain = [None] * count
            mixed = [(None, ADAPTERS[0], None, ADAPTERS[1])[number % 4] for number in range(count)]
            ways[str(count)] = partial(ours.together, plain)
            ways[f"{count}_mlx_lm_server"] = partial(theirs.together, plain)
            if count > 1:
                ways[f"{count}_mixed"] = partial(ours.together, mixed)
        for chats in (ours, theirs):
            chats.together([None])  # so that both have loaded, and compiled what they compile
        for _ in range(rounds):
            for name, way in ways.items():
                speeds.setdefault(name, []).append(way())
    figures: Figures = {
        f"tokens_per_second_{name}": round(statistics.median(values), 1) for name, values in speeds.items()
    }
    return {**figures, "base_unchanged": "yes" if ours.base_probabilities() == before else "no"}


def measure_memory(own: Endpoint, base: Path, rounds: int) -> Figures:
    """Gigabytes of the engine `own` and of mlx_lm.server."""
    figures: Figures = {}
    with mlx_lm_server(base) as theirs:
        for name, (server, process) in {"": (f"{own.url}/v1", own.pid), "_mlx_lm_server": theirs}.items():
            # mlx_lm.server asks for no key, and reads none.
            chats = Chats(server, MEMORY_TOKENS, " ".join(sentences())[:LONG_CHARACTERS], own.token)
            most, after = _memory(process, partial(_in_rounds, chats, rounds))
            figures |= {f"gigabytes_most{name}": most, f"gigabytes_after{name}": after}
    return figures


def _in_rounds(chats: Chats, rounds: int) -> None:
    for _ in range(rounds):
        chats.together([None] * 8)


def _memory(pid: int, work: Callable[[], None]) -> tuple[float, float]:
    """Resident gigabytes of a process: the maximum during `work`, and the value after it."""
    process, seen, is_over = psutil.Process(pid), [0], threading.Event()

    def look() -> None:
        while not is_over.wait(0.05):
            seen.append(process.memory_info().rss)

    looker = threading.Thread(target=look)
    looker.start()
    try:
        work()
    finally:
        is_over.set()
        looker.join()
    return round(max(seen) / 1e9, 2), round(process.memory_info().rss / 1e9, 2)


@contextmanager
def at_work(arguments: Sequence[str], folder: Path, seconds: float = AT_WORK_SECONDS) -> Iterator[list[psutil.Process]]:
    """Runs `sitetwin` with these arguments. Yields its process and its children once it is at work.

    Raises:
        click.ClickException: it ended before that.
    """
    process = psutil.Popen([*SITETWIN, *arguments], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while process.poll() is None and sum(process.cpu_times()[:2]) < seconds:
            time.sleep(0.1)
        if process.poll() is not None:
            said = process.stderr.read().decode(errors="replace").strip().rpartition("\n")[2]
            raise click.ClickException(f"sitetwin {arguments[0]} ended before the chats: {said}")
        yield [process, *process.children(recursive=True)]
    finally:
        if process.poll() is None:
            process.resume()
            end_family(process)
            process.wait()
        process.stderr.close()


def measure_beside(
    chats: Chats, arguments: Sequence[str], folder: Path, rounds: int, at_work_seconds: float = AT_WORK_SECONDS
) -> Figures:
    """One chat's tokens a second while `sitetwin ARGUMENTS` works, and while it is stopped.

    Raises:
        click.ClickException: the command ended before the chats did.
    """
    name = f"{arguments[0]}ing"
    alone, beside = [], []
    with at_work(arguments, folder, at_work_seconds) as family:
        for _ in range(rounds):
            beside.append(chats.together([None]))
            for process in family:
                process.suspend()
            alone.append(chats.together([None]))
            for process in family:
                process.resume()
        if not family[0].is_running():
            raise click.ClickException(f"sitetwin {arguments[0]} ended before the chats did: ask for fewer tokens")
    both = {"beside": statistics.median(beside), "without": statistics.median(alone)}
    figures: Figures = {f"tokens_per_second_{which}_{name}": round(value, 1) for which, value in both.items()}
    return {**figures, f"beside_{name}": round(both["beside"] / both["without"], 2)}


@contextmanager
def site(how: EngineSettings) -> Iterator[Settings]:
    """A throw-away site with notes to index and two adapters, its engine run as in `how`; its processes end with it."""
    with tempfile.TemporaryDirectory(prefix="sitetwin-") as folder:
        root = Path(folder)
        (root / "notes").mkdir()
        settings = Settings(root=root, content=[ContentSource(path=Path("notes"), visibility="public")], engine=how)
        (root / "sitetwin.toml").write_text('[[content]]\npath = "notes"\nvisibility = "public"\n', encoding="utf-8")
        base = demo.chat_model()
        for number, name in enumerate(ADAPTERS):
            make_adapter(adapters_directory(settings) / name, base, number)
        try:
            yield settings
        finally:
            for service in (engine.service(settings), vectors.service(settings)):
                if endpoint := service.find():
                    service.stop(endpoint)


def beside_ollama(size: str, how: EngineSettings, rounds: int, tokens: int) -> Mapping[str, float]:
    """Compares the engine of a throw-away site, run as in `how`, with Ollama; `size` is a value of `--peer`."""
    with site(how) as settings, tempfile.TemporaryDirectory(prefix="sitetwin-") as work:
        weights = demo_file(Path(work))
        if size == "ollama-large":
            weights = lab_file()
            settings.models = ModelSettings(chat=str(lab_model()))
        own = engine.connect(settings)
        peer = {"threads": how.threads, "rounds": rounds, "tokens": tokens}
        return measure_peer(own.base_url, own.api_key, settings.models.chat, weights, **peer)


@click.command()
@click.option("--part", "parts", type=click.Choice(PARTS), multiple=True, default=PARTS, help="Else all.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--tokens", type=click.IntRange(1), default=48, show_default=True, help="Of each chat.")
@click.option("--peer", type=click.Choice(["ollama", "ollama-large"]), help="Compare with a real Ollama.")
@click.option(
    "--threads", type=click.IntRange(1), default=blas.default_threads(), show_default=True, help="Of each peer."
)
@click.option("--int8/--no-int8", default=True, show_default=True, help="As `engine.int8`.")
@click.option("--json", "as_json", is_flag=True, help="Only the figures.")
def main(
    parts: Sequence[str], rounds: int, tokens: int, peer: str | None, threads: int, int8: bool, as_json: bool
) -> None:
    """Measure swapping, concurrent chats, and chats beside other work."""
    figures: Figures = {}
    how = EngineSettings(threads=threads, int8=int8)
    base = demo.chat_model()
    if peer:
        click.echo(render(PEER_TITLE, beside_ollama(peer, how, rounds, tokens), as_json=as_json))
        return
    with site(how) as settings:
        if "swap" in parts:
            figures |= measure_swap(adapters_directory(settings), base, rounds)
            figures["ratio"] = figures["swap_ratio"]
        if "chats" in parts:
            figures |= measure_chats(engine_chats(settings, tokens), base, rounds, tokens)
        if "memory" in parts:
            figures |= measure_memory(engine.service(settings).ensure(), base, rounds)
        if "soak" in parts:
            own = engine.connect(settings)
            figures |= soak(own.base_url, own.api_key, ADAPTERS, SOAK_REQUESTS, SOAK_AT_A_TIME, seed=1)
        if "beside" in parts:
            chats = engine_chats(settings, tokens)
            for name, text in notes(NOTES, sentences()):
                (settings.root / "notes" / f"{name.split()[0]}.md").write_text(
                    f"# {name}\n\n{text}\n", encoding="utf-8"
                )
            figures |= measure_beside(chats, ["index"], settings.root, rounds)
            with newcomers_folder() as root:
                subprocess.run([*SITETWIN, "dataset", "build"], cwd=root, check=True, capture_output=True)
                figures |= measure_beside(chats, ["train"], root, rounds)
    click.echo(render("The engine; ratio: mlx_lm.server's reload over taking up an adapter", figures, as_json=as_json))


if __name__ == "__main__":
    main()
