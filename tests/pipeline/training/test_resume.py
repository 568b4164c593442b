"""A run that is stopped or killed and resumed gives what a run gives that went through."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import mlx.core as mx
import pytest

from pipeline.errors import SitetwinError
from pipeline.training import graph, registry
from pipeline.training.run import resume, start
from tests.tiny_llama import with_other_weights


class Quiet:
    def __init__(self) -> None:
        self.iteration = 0

    def say(self, text):
        """Nobody listens."""

    def start(self, run):
        """Nobody listens."""

    def point(self, point):
        """Nobody listens."""

    def step(self, iteration, loss):
        self.iteration = iteration


def weights(site, run) -> dict[str, mx.array]:
    return mx.load(str(site.state / "adapters" / run.name / "adapters.safetensors"))


def figures(run) -> list:
    """The curves without what a clock says."""
    train = [(point.iteration, point.loss, point.learning_rate) for point in run.curves.train]
    return [train, [(point.iteration, point.loss) for point in run.curves.valid]]


def assert_same(site, run, other):
    assert figures(run) == figures(other)
    ours, theirs = weights(site, run), weights(site, other)
    assert ours.keys() == theirs.keys()
    assert all(mx.array_equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize(
    ("change", "stops"),
    [
        ({}, [5]),
        ({"optimizer": "adamw", "lr_schedule": {"name": "cosine_decay", "arguments": [0.02, 12], "warmup": 3}}, [1, 7]),
        ({"optimizer": "adafactor", "fine_tune_type": "dora"}, [4]),
        ({"optimizer": "muon", "grad_checkpoint": True}, [8]),
        ({"optimizer": "sgd", "optimizer_config": {"sgd": {"momentum": 0.9}}, "fine_tune_type": "full"}, [6]),
        # Between two updates there is no checkpoint: it goes on to the next one.
        ({"grad_accumulation_steps": 3, "save_every": 2}, [4, 8]),
        # Within what is measured before the first iteration, in between and after the last one.
        ({}, [0, 6, 12]),
    ],
    ids=["adam", "schedule", "dora", "muon", "full", "accumulated", "measured"],
)
def test_stopped_and_resumed(site, small, change, stops):
    stop_and_resume(site, {**small, **change}, stops)


@pytest.mark.parametrize(("batches", "measured"), [(1, []), (22, []), (25, [0]), (26, [0])])
def test_a_measurement_ends_within_a_batch(site, small, batches, measured):
    """Of general text in 21 batches and of the validation rows in 3."""
    asked = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) >= batches

    run = start(site, Quiet(), values={**small, "steps_per_eval": 1}, name="run", stop=stop)
    assert (run.state, len(asked)) == ("stopped", batches)
    assert [point.iteration for point in run.curves.valid] == measured


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="on a CPU MLX compiles by g++")
def test_stopped_and_resumed_when_steps_are_compiled(site, small, monkeypatch):
    monkeypatch.setattr(graph, "is_compiled", lambda: True)
    change = {
        "fine_tune_type": "dora", "grad_checkpoint": True, "grad_accumulation_steps": 3, "save_every": 2,
        "optimizer": "adamw", "lr_schedule": {"name": "cosine_decay", "arguments": [0.02, 4]},
    }  # fmt: skip
    stop_and_resume(site, {**small, **change}, [4, 8])


def stop_and_resume(site, values, stops):
    whole = start(site, Quiet(), values=values, name="whole")
    screen = Quiet()
    run = start(site, screen, values=values, name="parts", stop=lambda: screen.iteration >= stops[0])
    for at in [*stops[1:], 100]:
        assert run.state == "stopped"
        assert registry.runs(site)[-1].state == "stopped"
        run = resume(site, screen, stop=lambda at=at: screen.iteration >= at)
    assert run.state == "done"
    assert_same(site, run, whole)


@pytest.mark.parametrize(
    "iteration", [pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow), 8]
)
def test_killed_and_resumed(site, small, iteration):
    whole = start(site, Quiet(), values=small, name="whole")
    module = Path(__file__).with_name("killed_run.py")
    arguments = [str(site.root), str(iteration), json.dumps(small)]
    killed = subprocess.run([sys.executable, str(module), *arguments], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert registry.runs(site)[-1].state == "killed"
    assert not (site.state / "adapters" / "run").exists()
    run = resume(site, Quiet())
    assert run.name == "run"
    assert_same(site, run, whole)
    folder = registry.run_folder(site, "run")
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(line["iteration"], line["loss"]) for line in lines if line["kind"] == "valid"] == figures(whole)[1]
    assert [line["iteration"] for line in lines if line["kind"] == "train"] == [4, 8, 12]


def test_what_can_not_be_resumed_says_why(site, small, base, tmp_path):
    with pytest.raises(SitetwinError, match="no run was interrupted"):
        resume(site, Quiet())
    start(site, Quiet(), values=small, name="whole")
    with pytest.raises(SitetwinError, match="'whole' is done"):
        resume(site, Quiet(), "whole")
    with pytest.raises(SitetwinError, match="there is no run 'none'"):
        resume(site, Quiet(), "none")
    screen = Quiet()
    start(site, screen, values=small, name="part", stop=lambda: screen.iteration >= 2)
    site.models.chat = str(with_other_weights(base, tmp_path / "other"))
    with pytest.raises(SitetwinError, match="other weights than those"):
        resume(site, Quiet())
