"""Tokens per second of LoRA training, beside PEFT on torch and beside mlx_lm.lora, in fp32.

    python -m benchmarks.train [--rounds 5] [--batches 4] [--threads 1 --threads 2] [--model FOLDER] [--json]

It trains the demo model, or with `--model` another one that transformers reads as well: a Qwen 2 is in the folder that
`python -m benchmarks.lab_model` prints. It trains rank 16 on the seven projections with dropout .05, Adam and batches of two rows, on the pairs that
`sitetwin dataset build` makes from docs/. All three sides get the same batches in turn, each in its own process with the
same number of threads, and learn only the answers. PEFT runs as usual, without gradient checkpointing and with torch's
fused Adam, once with torch's attention (sdpa) and once with that of transformers (eager); the faster one counts.
mlx_lm.lora is the compiled step of its loop, with its padding to 32.

Padding is not counted as tokens. `ratio` is sitetwin's best speed at any number of threads divided by PEFT's best.
`ratio_1` and so on compare one number of threads, by medians over the rounds. On a Mac `mlx_lm_ratio` says whether
training is slower than mlx_lm.lora. PEFT has its own environment under .sitetwin/bench-env.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np

from benchmarks.peers import peer_python
from benchmarks.report import render
from benchmarks.running import newcomers_folder
from pipeline.training.config import KEYS, configuration
from pipeline.weights import blas, demo

RANK, SCALE, DROPOUT, RATE = 16, 2.0, 0.05, 2e-4
WARM = 2
"""Batches before the measurement, in which memory is allocated and functions are compiled."""
Rows = list[tuple[list[int], int]]
"""The rows of one batch: tokens, and the position at which the answer starts."""


def read_batches(folder: Path, base: Path, size: int) -> list[Rows]:
    """The batches of one epoch, in its order."""
    from mlx_lm.utils import load_config, load_tokenizer

    from pipeline.training.data import by_length, read_rows

    tokenizer = load_tokenizer(base, eos_token_ids=load_config(base).get("eos_token_id"))
    rows = read_rows(folder, "train", tokenizer, configuration())
    batches = [[(row.tokens, row.start) for row in batch] for batch in by_length(rows, size) if len(batch) == size]
    return [batches[place] for place in np.random.default_rng(0).permutation(len(batches))]


def serve(side: str, base: Path) -> None:
    """The worker's loop: reads a line of batches, and prints the seconds and losses."""
    blas.preload()
    steps = {"sitetwin": our_step, "mlx_lm": mlx_lm_step}[side](base)
    for line in sys.stdin:
        batches = json.loads(line)
        started = time.perf_counter()
        losses = [steps(batch) for batch in batches]
        print(json.dumps([time.perf_counter() - started, losses]), flush=True)


def our_step(base: Path) -> Any:
    """A function that trains on one batch with sitetwin and returns the loss."""
    from mlx_lm.utils import load_model

    from pipeline.training.data import TokenRow, make_batch
    from pipeline.training.loop import Trainer

    values = {"learning_rate": RATE, "lora_parameters": {"rank": RANK, "scale": SCALE, "dropout": DROPOUT}}
    sample = TokenRow(list(range(1, 33)), 8)
    config = configuration("best", values, is_demo=True).for_rows(2)
    trainer = Trainer(load_model(base)[0], [sample, sample], [], config, None)
    trainer.model.train()

    def step(rows: Rows) -> float:
        batch = make_batch([TokenRow(*row) for row in rows], config.max_seq_length)
        return trainer.step(batch)

    return step


def mlx_lm_step(base: Path) -> Any:
    """A function that trains on one batch as mlx_lm.tuner.trainer.train does, whose step is not public."""
    from functools import partial

    import mlx.core as mx
    import mlx.nn as nn
    import mlx.optimizers as optim
    from mlx_lm.tuner.trainer import default_loss
    from mlx_lm.tuner.utils import linear_to_lora_layers
    from mlx_lm.utils import load_model

    model = load_model(base)[0]
    model.freeze()
    keys = [f"{place}.{name}" for name, place in KEYS.items()]
    linear_to_lora_layers(model, len(model.layers), {"rank": RANK, "scale": SCALE, "dropout": DROPOUT, "keys": keys})
    optimizer = optim.Adam(learning_rate=RATE)
    both = nn.value_and_grad(model, default_loss)
    state = [model.state, optimizer.state, mx.random.state]

    @partial(mx.compile, inputs=state, outputs=state)
    def compiled(tokens: mx.array, lengths: mx.array) -> mx.array:
        loss: mx.array
        (loss, _), gradients = both(model, tokens, lengths)
        optimizer.update(model, gradients)
        return loss

    model.train()

    def step(rows: Rows) -> float:
        longest = max(len(tokens) for tokens, _ in rows)
        tokens = np.zeros((len(rows), 1 + 32 * -(-longest // 32)), np.int32)
        for place, (row, _) in enumerate(rows):
            tokens[place, : len(row)] = row
        loss = compiled(mx.array(tokens), mx.array([(start, len(row)) for row, start in rows]))
        mx.eval(state, loss)
        value: Any = loss.item()
        return float(value)

    return step


class Worker:
    """A process that trains one side with `threads` threads."""

    def __init__(self, name: str, command: Sequence[str], threads: int) -> None:
        self._name = name
        variables = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parents[1],
            env=os.environ | variables | {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"},
        )  # fmt: skip

    def train(self, batches: Sequence[Rows]) -> tuple[float, list[float]]:
        """Trains on `batches`. Returns tokens per second, and the losses.

        Raises:
            click.ClickException: the worker has died.
        """
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(batches) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise click.ClickException(f"{self._name} ended: see what it said above")
        seconds, losses = json.loads(line)
        return sum(len(tokens) for rows in batches for tokens, _ in rows) / seconds, losses

    def end(self) -> None:
        """End the process."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@contextmanager
def workers(base: Path, threads: int, with_peft: bool) -> Iterator[dict[str, Worker]]:
    """Yields a worker for each side by its name."""
    commands = {
        side: [sys.executable, "-m", "benchmarks.train", "--model", str(base), "--side", side]
        for side in ("sitetwin", "mlx_lm")
    }
    if with_peft:
        peer, script = str(peer_python("torch", "transformers", "peft")), str(Path(__file__).parent / "train_peft.py")
        for attention in ("sdpa", "eager"):
            options = json.dumps([str(base), attention, RANK, SCALE, DROPOUT, RATE, list(KEYS)])
            commands[f"peft_{attention}"] = [peer, script, options]
    with ExitStack() as stack:
        found = {}
        for name, command in commands.items():
            found[name] = Worker(name, command, threads)
            stack.callback(found[name].end)
        yield found


def measure(
    base: Path, batches: Sequence[Rows], threads: int, rounds: int, size: int, with_peft: bool
) -> dict[str, list[float]]:
    """Tokens per second of each side in each round."""
    with workers(base, threads, with_peft) as sides:
        speeds: dict[str, list[float]] = {name: [] for name in sides}
        for side in sides.values():
            side.train(batches[:WARM])
        for number in range(rounds):
            start = WARM + number * size
            for name, side in sides.items():
                speeds[name].append(side.train(batches[start : start + size])[0])
    return speeds


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True)
@click.option("--batches", "size", type=click.IntRange(1), default=4, show_default=True, help="Of a round.")
@click.option("--threads", type=click.IntRange(1), multiple=True, help="1 and all cores unless set.")
@click.option("--peft/--no-peft", default=True, show_default=True)
@click.option(
    "--model", "base", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Instead of the demo model."
)
@click.option("--side", type=click.Choice(["sitetwin", "mlx_lm"]), hidden=True)
@click.option("--json", "as_json", is_flag=True, help="Only the figures.")
def main(
    rounds: int, size: int, threads: tuple[int, ...], peft: bool, base: Path | None, side: str | None, as_json: bool
) -> None:
    """Measure the training step beside PEFT's and mlx_lm.lora's."""
    name = base.name if base else "SmolLM2-135M"
    base = base or demo.chat_model()
    if side:
        serve(side, base)
        return
    with newcomers_folder() as root:
        build = [sys.executable, "-m", "pipeline", "dataset", "build"]
        subprocess.run(build, cwd=root, check=True, capture_output=True)
        blas.preload(1)
        batches = read_batches(root / ".sitetwin" / "datasets" / "v1", base, 2)
    figures: dict[str, float | str | None] = {"ratio": None, "mlx_lm_ratio": None}
    best: dict[str, float] = {}
    for count in sorted(set(threads or (1, os.cpu_count() or 1))):
        speeds = {name: median(values) for name, values in measure(base, batches, count, rounds, size, peft).items()}
        figures |= {f"{name}_tokens_per_second_{count}": round(speed, 1) for name, speed in speeds.items()}
        theirs = max((speed for name, speed in speeds.items() if name.startswith("peft")), default=0.0)
        speeds["peft"] = theirs
        figures[f"ratio_{count}"] = round(speeds["sitetwin"] / theirs, 2) if theirs else None
        best = {name: max(speed, best.get(name, 0.0)) for name, speed in speeds.items()}
    if best["peft"]:
        figures["ratio"] = round(best["sitetwin"] / best["peft"], 2)
    figures["mlx_lm_ratio"] = round(best["sitetwin"] / best["mlx_lm"], 2)
    click.echo(render(f"LoRA training of {name}, fp32, rank 16, batch 2", figures, as_json=as_json))


if __name__ == "__main__":
    main()
