"""The engine: what changing the adapter costs, how many chats it bears, and whether they stay usable beside other work.

    python -m benchmarks.engine [--rounds 5] [--tokens 64] [--json]

On the demo model with random adapters of the size that a full LoRA of rank 16 has. `swap_ratio`, which is also `ratio`,
is the time in which mlx_lm.server changes its adapter (it loads the model again) over the time in which this engine
takes up an adapter that it has not read before; one that it has read costs `change_ms`. The two take turns in one
process on the same BLAS. Chats are real requests to a running engine, all different, at temperature 0. Beside indexing,
and beside training on pairs from docs/, one chat is measured in turns with and without that work. `base_unchanged` is whether the base gives the same probabilities to the last digit before
adapters were used and after.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
import httpx
import numpy as np
import psutil

from benchmarks.report import render
from benchmarks.running import newcomers_folder
from benchmarks.synthetic import notes, sentences
from pipeline.models import blas, demo
from pipeline.models.adapters import CONFIG, WEIGHTS, Card, adapters_directory, base_hash, find_adapter_in, write_card
from pipeline.processes import engine, vectors
from pipeline.processes.endpoint import end_family
from pipeline.settings import ContentSource, Settings

RANK = 16
KEYS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
ADAPTERS = ("one", "two")
CHATS = (1, 4, 16)
SITETWIN = (sys.executable, "-m", "pipeline")
IMPORT_SECONDS = 10
"""Until a command that was started is at its work."""
NOTES = 20_000
"""More than are indexed while the chats are measured."""


def make_adapter(folder: Path, base: Path, seed: int) -> None:
    """Random weights of LoRA on every layer of `base`, which is not quantised, as mlx-lm writes them."""
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
    write_card(folder, Card(base=base.name, base_hash=base_hash(base), visibility="public"))


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure_swap(settings: Settings, base: Path, rounds: int) -> dict[str, float]:
    """In this process: mlx_lm.server's own provider and this engine's overlays, in turns."""
    blas.preload(settings.engine.threads)
    import mlx_lm.server

    from pipeline.models.overlays import Overlays
    from pipeline.models.server import BaseProvider

    directory = adapters_directory(settings)
    ours = BaseProvider(str(base), demo.DEMO, directory)
    ours.load_default()
    theirs = mlx_lm.server.ModelProvider(ours.cli_args)
    first, change, reload = [], [], []
    known = Overlays(directory, ours.model, str(base), demo.DEMO)
    for name in ADAPTERS:
        known.get(name)
    for number in range(2 * rounds):
        name = ADAPTERS[number % 2]
        path = str(find_adapter_in(directory, name).folder)
        new = Overlays(directory, ours.model, str(base), demo.DEMO)
        new.get(ADAPTERS[1 - number % 2])  # the base's hash is computed once in an engine's life
        first.append(seconds(partial(new.get, name)))
        change.append(seconds(partial(known.get, name)))
        reload.append(seconds(partial(theirs.load, str(base), path, None)))
    medians = {"reload_ms": reload, "swap_ms": first, "change_ms": change}
    figures = {name: round(statistics.median(values) * 1000, 2) for name, values in medians.items()}
    return {**figures, "swap_ratio": round(statistics.median(reload) / statistics.median(first), 1)}


class Chats:
    """Requests to the running engine, each with a question of its own."""

    def __init__(self, settings: Settings, tokens: int) -> None:
        self._settings = settings
        self._tokens = tokens
        self._number = 0

    def post(self, question: str, **options: object) -> dict:  # type: ignore[type-arg]
        body = {"model": demo.DEMO, "messages": [{"role": "user", "content": question}], **options}
        url = f"{engine.connect(self._settings).base_url}/chat/completions"
        return httpx.post(url, json=body, timeout=600).raise_for_status().json()  # type: ignore[no-any-return]

    def together(self, adapters: Sequence[str | None]) -> float:
        """Tokens a second in all, of one chat for each entry of `adapters` at the same time."""

        def ask(number: int, adapter: str | None) -> int:
            question = f"Tell me a long story about the number {number}."
            answer = self.post(question, max_tokens=self._tokens, adapters=adapter)
            return int(answer["usage"]["completion_tokens"])

        numbers = range(self._number, self._number + len(adapters))
        self._number += len(adapters)
        started = time.perf_counter()
        with ThreadPoolExecutor(len(adapters)) as pool:
            tokens = sum(pool.map(ask, numbers, adapters))
        return tokens / (time.perf_counter() - started)

    def base_probabilities(self) -> str:
        # A seed keeps it out of batches, where the other rows' number decides the last digits.
        answer = self.post("What is tea?", max_tokens=16, logprobs=True, seed=1)
        return json.dumps(answer["choices"][0]["logprobs"])


def median_of(rounds: int, measure: Callable[[], float]) -> float:
    return round(statistics.median(measure() for _ in range(rounds)), 1)


@contextmanager
def running(arguments: Sequence[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`sitetwin` with these arguments, for as long as the block runs."""
    process = subprocess.Popen(
        [*SITETWIN, *arguments], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            end_family(psutil.Process(process.pid))
            process.wait()


def measure_beside(chats: Chats, arguments: Sequence[str], folder: Path, rounds: int) -> float:
    """Tokens a second of one chat beside `sitetwin ARGUMENTS` over its speed without, medians of turns.

    Raises:
        click.ClickException: the command ended before the chats did.
    """
    alone, beside = [], []
    for _ in range(rounds):
        alone.append(chats.together([None]))
        with running(arguments, folder) as process:
            time.sleep(IMPORT_SECONDS)
            beside.append(chats.together([None]))
            if process.poll() is not None:
                raise click.ClickException(
                    f"sitetwin {arguments[0]} ended before the chat (status {process.returncode})"
                )
    return round(statistics.median(beside) / statistics.median(alone), 2)


@contextmanager
def site() -> Iterator[Settings]:
    """A throw-away site with notes to index and two adapters; its processes end with it."""
    with tempfile.TemporaryDirectory(prefix="sitetwin-") as folder:
        root = Path(folder)
        (root / "notes").mkdir()
        settings = Settings(root=root, content=[ContentSource(path=Path("notes"), visibility="public")])
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


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
@click.option("--tokens", type=click.IntRange(1), default=64, show_default=True, help="Of each chat.")
@click.option("--json", "as_json", is_flag=True, help="Only the figures.")
def main(rounds: int, tokens: int, as_json: bool) -> None:
    """Measure swapping, concurrent chats, and chats beside other work."""
    with site() as settings:
        base = demo.chat_model()
        figures: dict[str, float | str] = dict(measure_swap(settings, base, rounds))
        chats = Chats(settings, tokens)
        before = chats.base_probabilities()
        for count in CHATS:
            # Half of them the base's, the rest the adapters': all in one batch.
            mixed = [(None, ADAPTERS[0], None, ADAPTERS[1])[number % 4] for number in range(count)]
            chats.together([None] * count)
            figures[f"tokens_per_second_{count}"] = median_of(rounds, partial(chats.together, [None] * count))
            if count > 1:
                figures[f"tokens_per_second_{count}_mixed"] = median_of(rounds, partial(chats.together, mixed))
        figures["tokens_per_second_1_adapter"] = median_of(rounds, lambda: chats.together([ADAPTERS[0]]))
        figures["base_unchanged"] = "yes" if chats.base_probabilities() == before else "no"
        for name, text in notes(NOTES, sentences()):
            (settings.root / "notes" / f"{name.split()[0]}.md").write_text(f"# {name}\n\n{text}\n", encoding="utf-8")
        figures["beside_indexing"] = measure_beside(chats, ["index", "--rebuild"], settings.root, rounds)
        with newcomers_folder() as root:
            subprocess.run([*SITETWIN, "dataset", "build"], cwd=root, check=True, capture_output=True)
            figures["beside_training"] = measure_beside(chats, ["train"], root, rounds)
    figures["ratio"] = figures["swap_ratio"]
    click.echo(render("The engine; ratio: mlx_lm.server's reload over taking up an adapter", figures, as_json=as_json))


if __name__ == "__main__":
    main()
