import math
import re

import mlx.core as mx
import pytest

from pipeline.adapters import find_adapter
from pipeline.errors import SettingsError, SitetwinError
from pipeline.training import registry
from pipeline.training.config import configuration
from pipeline.training.cost import work
from pipeline.training.data import TokenPreference, TokenRow
from pipeline.training.run import start
from pipeline.training.setup import make_optimizer
from tests.pipeline.training.test_run import Listener


def test_the_rate_with_the_lowest_loss_is_taken(site, small):
    screen = Listener()
    run = start(site, screen, values={**small, "learning_rate": 0.002}, is_rate_sought=True)
    losses = {trial.rate: trial.loss for trial in run.rates}
    best = min(losses, key=losses.get)
    # Each is the double of the one before, and the last of them is worse than the best.
    assert [trial.rate / 0.002 for trial in run.rates] == pytest.approx([2**n for n in range(len(losses))])
    assert list(losses)[-2] == best == run.config.learning_rate > 0.002
    assert f"the learning rate is {best:.3g}" in screen.said
    report = (registry.run_folder(site, run.name) / "report.html").read_text(encoding="utf-8")
    assert "Learning rates that were tried" in report
    # The run itself begins anew.
    same = start(site, Listener(), values={**small, "learning_rate": best})
    ours, theirs = (mx.load(str(find_adapter(site, one.name).content)) for one in (run, same))
    assert all(mx.array_equal(ours[name], theirs[name]) for name in ours)


def test_too_high_a_rate_is_halved(site, small):
    values = {**small, "learning_rate": 1e9}
    with pytest.raises(SitetwinError):
        start(site, Listener(), values=values)
    run = start(site, Listener(), values={**values, "learning_rate": 2.0}, is_rate_sought=True, name="found")
    assert run.config.learning_rate < 2.0
    assert run.rates[0].loss > min(trial.loss for trial in run.rates if math.isfinite(trial.loss))


def test_it_serves_preferences_too(site, small):
    run = start(site, Listener(), values={**small, "method": "dpo"}, is_rate_sought=True)
    assert run.rates[0].loss < math.log(2)


def test_a_folder_of_the_owners_is_no_checkpoint(site, small, tmp_path, monkeypatch):
    # A blog has folders named by the year.
    (tmp_path / "2024").mkdir()
    monkeypatch.chdir(tmp_path)
    assert start(site, Listener(), values={**small, "iters": 1}, is_rate_sought=True).rates


def test_stopped_meanwhile_it_leaves_nothing(site, small):
    with pytest.raises(SitetwinError, match="nothing was written"):
        start(site, Listener(), values=small, is_rate_sought=True, stop=lambda: True)
    assert registry.runs(site) == []


def test_the_cost_is_said_from_measured_steps_and_then_from_the_last_run(site, small):
    values = {**small, "iters": 24, "learning_rate": 0.001}
    first, second = Listener(), Listener()
    run = start(site, first, values=values)
    start(site, second, values=values)
    (measured,) = [text for text in first.said if text.startswith("the run will take at most about")]
    assert re.search(
        r"about (\d+ to )?\d+ seconds: 24 iterations at (\d+ to )?\d+ tokens a second, measured in 3 steps, which held",
        measured,
    )
    (known,) = [text for text in second.said if text.startswith("the run will take at most about")]
    assert known.endswith(f"as in the run {run.name}")
    # The trial steps change nothing.
    ours, theirs = (mx.load(str(find_adapter(site, name).content)) for name in ("best-1", "best-2"))
    assert all(mx.array_equal(ours[name], theirs[name]) for name in ours)


def test_the_work_of_a_run():
    rows = [TokenRow([1] * 10, 5), TokenRow([1] * 30, 5)]
    config = configuration("best", {"iters": 20, "steps_per_eval": 10, "max_seq_length": 20, "batch_size": 2})
    assert work(config.for_rows(2), rows, rows[:1]) == 20 * (10 + 20) + 3 * 10 / 3
    both = [TokenPreference(*rows)]
    assert work(config.for_rows(1), both, []) == 20 * 2 * (10 + 20)


def test_a_cosine_rises_and_falls():
    config = configuration("best", {"schedule": "cosine", "warmup": 0.2, "learning_rate": 0.1, "iters": 100})
    optimizer = make_optimizer(config)
    rates = []
    optimizer.init({"a": mx.zeros(1)})
    for _ in range(101):
        optimizer.apply_gradients({"a": mx.zeros(1)}, {"a": mx.zeros(1)})
        rates.append(optimizer.learning_rate.item())
    assert rates[0] == pytest.approx(0)
    assert rates[20] == pytest.approx(0.1)
    assert rates[60] == pytest.approx(0.05, rel=0.05)
    assert rates[100] == pytest.approx(0, abs=1e-4)


def test_a_rank_stabilised_scale():
    values = {"lora_parameters": {"rank": 64, "scale": 0.5}}
    assert configuration("best", values, {"use_rslora": True}).lora_parameters.scale == 4.0
    assert configuration("best", values, {"use_rslora": False}).lora_parameters.scale == 0.5
    with pytest.raises(SettingsError, match="use_rslora"):
        configuration("best", {"use_rslora": "perhaps"})
