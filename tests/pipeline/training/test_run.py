import json
import math

import mlx.core as mx
import mlx_lm
import pytest
from filelock import FileLock
from mlx_lm.tuner.trainer import default_loss
from PIL import Image

from pipeline.adapters import find_adapter
from pipeline.dataset.versions import read_card, version_folder
from pipeline.errors import SettingsError, SitetwinError
from pipeline.training import registry
from pipeline.training.data import make_batch, read_rows
from pipeline.training.run import base_folder, start


class Listener:
    """Hears everything."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.points = []
        self.losses = []

    def say(self, text):
        self.said.append(text)

    def start(self, run):
        self.run = run

    def point(self, point):
        self.points.append(point)

    def step(self, iteration, loss):
        self.losses.append(loss)


@pytest.fixture
def screen():
    return Listener()


def test_a_run_learns_and_leaves_an_adapter_that_mlx_lm_takes(site, small, screen, base):
    run = start(site, screen, values=small)
    assert (run.name, run.state, run.iteration) == ("best-1", "done", 12)
    assert run.rows == {"train": 15, "valid": 5}
    assert run.curves.best.loss < 0.8 * run.curves.valid[0].loss
    assert [point.iteration for point in run.curves.valid] == [0, 6, 12]
    assert [point.iteration for point in run.curves.train] == [4, 8, 12]
    assert len(screen.losses) == 12
    assert any("only 15 rows" in text for text in screen.said)
    assert any("GB of memory are needed" in text for text in screen.said)
    assert registry.runs(site) == [run]

    adapter = find_adapter(site, "best-1")
    assert (adapter.visibility, adapter.base_hash) == ("public", run.base_hash)
    assert sorted(file.name for file in adapter.folder.iterdir()) == [
        "adapter_config.json", "adapters.safetensors", "sitetwin.json"
    ]  # fmt: skip
    model, tokenizer = mlx_lm.load(str(base), adapter_path=str(adapter.folder))
    rows = read_rows(version_folder(site), "valid", tokenizer, run.config)
    total = count = 0
    for row in rows:
        batch = make_batch([row], 128)
        loss, tokens = default_loss(model, mx.array(batch.tokens), mx.array(batch.spans))
        total, count = total + (loss * tokens).item(), count + tokens.item()
    assert total / count == pytest.approx(run.curves.best.loss, rel=1e-4)


@pytest.fixture
def foreign(site, small):
    """Values for a run whose validation rows say other things than the training rows, so that it soon overfits."""
    answers = ["xyzzy plugh", "zut quux", "jab wix", "vex fjord", "qoph"]
    rows = [
        {"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": text}]} for text in answers
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (version_folder(site) / "valid.jsonl").write_text(text, encoding="utf-8")
    steady = {**small.get("lora_parameters", {}), "dropout": 0.0}
    return {**small, "lora_parameters": steady, "learning_rate": 0.005, "iters": 60, "steps_per_eval": 12}


def test_the_adapter_is_the_best_checkpoint_not_the_last(site, foreign, screen):
    run = start(site, screen, values=foreign)
    assert run.curves.best.iteration < run.iteration == 60
    assert run.verdict.name == "overfit"
    adapter = mx.load(str(find_adapter(site, run.name).folder / "adapters.safetensors"))
    shorter = start(site, screen, values={**foreign, "iters": run.curves.best.iteration})
    same = mx.load(str(find_adapter(site, shorter.name).folder / "adapters.safetensors"))
    assert all(mx.array_equal(adapter[name], same[name]) for name in adapter)


def test_it_ends_when_nothing_gets_better(site, foreign, screen):
    run = start(site, screen, values={**foreign, "patience": 1})
    assert run.state == "done"
    assert run.iteration == run.curves.best.iteration + 12 < 60


def test_the_run_is_kept_with_curves_metrics_and_a_chart(site, small, screen):
    run = start(site, screen, preset="overfit", values=small, name="mine", visibility="private")
    folder = registry.run_folder(site, "mine")
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(lines) == len(screen.points) == 6
    with Image.open(folder / "chart.png") as chart:
        assert chart.size == (1080, 600)
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert (record["data_set"], record["preset"], record["config"]["seed"]) == (1, "overfit", 0)
    assert (record["visibility"], record["data_visibility"]) == ("private", "public")
    assert record["curves"]["valid"][-1]["loss"] == run.curves.valid[-1].loss
    assert not (folder / "checkpoints").exists()
    assert [file.name for file in folder.iterdir() if file.name.startswith(".")] == []


def test_nothing_is_written_over(site, small, screen):
    values = {**small, "iters": 2}
    assert start(site, screen, values=values).name == "best-1"
    assert start(site, screen, values=values).name == "best-2"
    with pytest.raises(SitetwinError, match="there is a run or an adapter 'best-1' already"):
        start(site, screen, values=values, name="best-1")
    with pytest.raises(SitetwinError, match="is no name for a run"):
        start(site, screen, values=values, name="../out")
    assert [run.name for run in registry.runs(site)] == ["best-1", "best-2"]


def test_a_public_adapter_is_not_trained_on_private_notes(site, small, screen):
    folder = version_folder(site)
    card = read_card(folder).model_copy(update={"visibility": "private"})
    (folder / "card.json").write_text(card.model_dump_json(), encoding="utf-8")
    with pytest.raises(SitetwinError, match="made of private notes"):
        start(site, screen, values=small)
    assert registry.runs(site) == []
    assert start(site, screen, values={**small, "iters": 2}, visibility="private").data_visibility == "private"


def test_one_run_at_a_time(site, small, screen):
    registry.runs_directory(site).mkdir(parents=True)
    with FileLock(registry.runs_directory(site) / registry.LOCK), pytest.raises(SitetwinError, match="under way"):
        start(site, screen, values=small)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"num_layers": 3}, "num_layers is 3, the model has 2"),
        ({"lora_parameters": {"keys": ["attn.q"]}}, r"none of lora_parameters.keys .* self_attn.q_proj"),
    ],
)
def test_what_the_model_does_not_have_is_named(site, small, screen, values, message):
    with pytest.raises(SettingsError, match=message):
        start(site, screen, values={**small, **values})
    assert registry.runs(site)[0].state == "failed"


def test_a_loss_that_breaks_ends_the_run(site, small, screen):
    with pytest.raises(SitetwinError, match="lower learning_rate"):
        start(site, screen, values={**small, "learning_rate": 1e30, "optimizer": "sgd", "iters": 60})
    run = registry.runs(site)[0]
    assert run.state == "failed"
    assert "the loss is" in run.error


def test_a_validation_loss_that_is_nan_ends_the_run_and_blocks_no_other(site, small, screen):
    """Adam's step of 1e9 makes the weights so large that the next losses are no numbers."""
    values = {**small, "iters": 2, "steps_per_eval": 1, "learning_rate": 1e9}
    with pytest.raises(SitetwinError, match=r"the validation loss is (nan|inf) at iteration 1: .* lower learning_rate"):
        start(site, screen, values=values, name="broken")
    run = registry.find(site, "broken")
    assert (run.state, run.curves.valid[0].iteration) == ("failed", 0)
    assert "the validation loss is" in run.error
    assert "the validation loss is" in (registry.run_folder(site, "broken") / "report.html").read_text("utf-8")
    with pytest.raises(SitetwinError, match="no run was interrupted"):
        registry.resumable(site)
    assert start(site, screen, values=small).state == "done"


def test_weights_that_become_nan_in_the_last_step_are_no_adapter(site, small, screen):
    folder = version_folder(site)
    (folder / "valid.jsonl").write_bytes(b"")
    with pytest.raises(SitetwinError, match=r"the loss on general text is (nan|inf) at iteration 1"):
        start(site, screen, values={**small, "iters": 1, "learning_rate": 1e30}, name="broken")
    assert registry.find(site, "broken").state == "failed"
    assert not (site.state / "adapters" / "broken").exists()


def test_a_record_of_version_0_1_0_with_losses_that_are_no_numbers_is_read(site, small, screen):
    run = start(site, screen, values=small)
    file = registry.run_folder(site, run.name) / registry.RECORD
    record = json.loads(file.read_text("utf-8"))
    record["curves"]["valid"][-1]["loss"] = record["curves"]["train"][-1]["loss"] = None
    record["forgetting"]["before"] = None
    file.write_text(json.dumps(record), "utf-8")
    read = registry.find(site, run.name)
    assert math.isnan(read.curves.valid[-1].loss)
    assert read.curves.best.iteration == 6
    registry.write(site, read)
    again = registry.find(site, run.name)
    assert math.isnan(again.curves.train[-1].loss)
    assert again.model_dump_json() == read.model_dump_json()


def test_a_full_fine_tune_of_a_quantised_base_is_refused_before_anything_is_written(site, small, screen, base):
    site.models.chat = str(base.with_name("quantised"))
    with pytest.raises(SitetwinError, match="can't change quantised weights: --set fine_tune_type=lora"):
        start(site, screen, values={**small, "fine_tune_type": "full"})
    assert not registry.runs(site)


def test_a_pair_may_hold_any_line_separator(site, small, screen, base):
    """Those at which str.splitlines cuts, and JSON lines do not."""
    folder = version_folder(site)
    lines = (folder / "train.jsonl").read_bytes().decode().replace("It is", "It\u2028is\u2029and\x85was")
    (folder / "train.jsonl").write_bytes(lines.encode())
    assert start(site, screen, values={**small, "iters": 1}).rows["train"] == 15


def test_a_broken_row_is_said_before_the_run_is_written(site, small, screen):
    with (version_folder(site) / "valid.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"messages": [\n')
    with pytest.raises(SitetwinError, match=r"valid\.jsonl:6: .*mend that line, or run `sitetwin dataset build`"):
        start(site, screen, values=small)
    assert not registry.runs(site)


def test_a_servers_model_is_not_trained(site):
    site.engine.url = "http://127.0.0.1:11434/v1"
    with pytest.raises(SitetwinError, match=r"take engine.url out"):
        base_folder(site)


def test_a_validation_sample_is_of_all_lengths(site, small, screen):
    whole = start(site, screen, values={**small, "iters": 1})
    part = start(site, screen, values={**small, "iters": 1, "val_batches": 1})
    assert whole.curves.valid[0].loss != part.curves.valid[0].loss


def test_an_adapter_for_a_quantised_base(site, small, screen, base):
    site.models.chat = str(base.with_name("quantised"))
    run = start(site, screen, values=small)
    assert run.curves.best.loss < 0.9 * run.curves.valid[0].loss
    mlx_lm.load(site.models.chat, adapter_path=str(find_adapter(site, run.name).folder))


def test_a_full_fine_tune_is_kept_but_not_swapped_in(site, small, screen, base):
    run = start(site, screen, values={**small, "fine_tune_type": "full", "learning_rate": 1e-3, "num_layers": 1})
    assert any("`sitetwin export` makes a model of it" in warning for warning in run.warnings)
    weights = mx.load(str(find_adapter(site, run.name).folder / "adapters.safetensors"))
    assert weights
    assert all(name.startswith("model.layers.1.") for name in weights)
    mlx_lm.load(str(base), adapter_path=str(find_adapter(site, run.name).folder))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"optimizer_config": {"adam": {"momentun": 1}}}, "optimizer_config.adam.*momentun"),
        ({"lr_schedule": {"name": "cosine", "arguments": [1e-3, 10]}}, "lr_schedule.*cosine"),
        ({"lr_schedule": {"name": "cosine_decay", "arguments": [1e-3]}}, "lr_schedule"),
    ],
)
def test_an_optimiser_that_cannot_be_made_is_said_before_anything_is_written(site, small, screen, values, words):
    with pytest.raises(SettingsError, match=words):
        start(site, screen, values={**small, **values})
    assert registry.runs(site) == []
