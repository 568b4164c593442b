import json

import mlx.core as mx
import mlx_lm
import pytest
from mlx_lm.tuner.trainer import default_loss
from mlx_lm.utils import load_tokenizer

from pipeline.adapters import find_adapter
from pipeline.errors import SitetwinError
from pipeline.training import registry
from pipeline.training.data import make_batch
from pipeline.training.forgetting import TEXT, general_rows
from pipeline.training.run import resume, start
from tests.pipeline.training.test_run import Listener


def mean_of_rows(model, rows) -> float:
    """Row by row with mlx-lm's own loss."""
    total = count = 0.0
    for row in rows:
        batch = make_batch([row], len(row.tokens))
        loss, tokens = default_loss(model, mx.array(batch.tokens), mx.array(batch.spans))
        total, count = total + (loss * tokens).item(), count + tokens.item()
    return total / count


def test_the_general_text_is_small_and_of_three_kinds(base):
    rows = [json.loads(line) for line in TEXT.read_text(encoding="utf-8").splitlines()]
    assert TEXT.stat().st_size < 20_000
    assert len(rows) >= 30
    assert {frozenset(row) for row in rows} == {frozenset({"text"}), frozenset({"messages"})}
    tokens = general_rows(load_tokenizer(base))
    assert len(tokens) == len(rows)
    assert [row.start > 0 for row in tokens] == ["messages" in row for row in rows]


def test_the_loss_before_is_the_bases_and_after_the_adapters(site, small, base):
    run = start(
        site, Listener(), preset="overfit", values={**small, "iters": 9, "steps_per_eval": 3, "keep_last": True}
    )
    rows = general_rows(load_tokenizer(base))
    model, _ = mlx_lm.load(str(base))
    assert run.forgetting.before == pytest.approx(mean_of_rows(model, rows), rel=1e-4)
    for adapter, loss in ((run.name, run.forgetting.after), (run.last_adapter, run.forgetting.last)):
        model, _ = mlx_lm.load(str(base), adapter_path=str(find_adapter(site, adapter).folder))
        assert loss == pytest.approx(mean_of_rows(model, rows), rel=1e-3)
    assert registry.find(site, run.name).forgetting == run.forgetting


def test_a_resumed_run_knows_what_the_base_lost(site, small):
    screen = Listener()
    whole = start(site, screen, values=small, name="whole")
    screen = Listener()
    start(site, screen, values=small, name="parts", stop=lambda: len(screen.losses) >= 7)
    assert resume(site, screen).forgetting == whole.forgetting
    assert whole.forgetting.last is None


def test_the_last_weights_take_no_other_adapters_name(site, small):
    values = {**small, "iters": 1}
    start(site, Listener(), values=values, name="mine-last")
    with pytest.raises(SitetwinError, match="already"):
        start(site, Listener(), preset="overfit", values=values, name="mine")
