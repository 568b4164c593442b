import json
import math
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mlx_lm.utils import load_model, load_tokenizer

from pipeline.adapters import AdapterCard, find_adapter, write_card
from pipeline.dataset.versions import PREFERENCES, version_folder
from pipeline.errors import SitetwinError
from pipeline.training import registry
from pipeline.training.data import make_batch, read_preferences
from pipeline.training.graph import ByGraph
from pipeline.training.preference import answers, preference_loss
from pipeline.training.reference import FILE
from pipeline.training.run import resume, start
from tests.pipeline.training.test_resume import Quiet, assert_same, stop_and_resume


@pytest.fixture
def dpo(small) -> dict:
    return {**small, "method": "dpo", "beta": 0.5}


def margins(site, base, adapter: str | None) -> np.ndarray:
    """By how many nats mlx-lm's model under `adapter` prefers each chosen answer of the validation preferences."""
    from mlx_lm.tuner.utils import load_adapters

    model, _ = load_model(base)
    if adapter:
        model = load_adapters(model, str(find_adapter(site, adapter).folder))
    model.eval()
    rows = read_preferences(version_folder(site), "valid", load_tokenizer(base))
    logps = ByGraph(model, preference_loss(answers)).row_logps(make_batch(rows, 128)).logps
    return logps[::2] - logps[1::2]


def test_dpo_raises_the_better_answers_over_the_base(site, dpo, base):
    run = start(site, Quiet(), values=dpo)
    assert (run.name, run.state, run.config.method, run.rows) == ("dpo-1", "done", "dpo", {"train": 9, "valid": 4})
    first, best = run.curves.valid[0], run.curves.best
    assert (first.loss, first.preferred) == (pytest.approx(math.log(2), abs=1e-4), 0)
    assert best.loss < 0.5 * first.loss
    assert best.preferred == 1
    raised = margins(site, base, "dpo-1") - margins(site, base, None)
    assert np.log1p(np.exp(-0.5 * raised)).mean() == pytest.approx(best.loss, rel=1e-3)
    assert "preferences by DPO" in (registry.run_folder(site, "dpo-1") / "report.html").read_text(encoding="utf-8")
    assert registry.find(site, "dpo-1") == run


def test_dpo_goes_on_from_an_adapter_and_compares_with_it(site, dpo, small, base):
    start(site, Quiet(), values=small, name="voice")
    run = start(site, Quiet(), values={**dpo, "learning_rate": 0.005}, begin="voice")
    assert (run.begun_from, run.config.lora_parameters.rank) == ("voice", 4)
    assert run.curves.valid[0].loss == pytest.approx(math.log(2), abs=1e-4)
    raised = margins(site, base, run.name) - margins(site, base, "voice")
    assert np.log1p(np.exp(-0.5 * raised)).mean() == pytest.approx(run.curves.best.loss, rel=1e-3)


def test_orpo_learns_answers_and_preferences(site, small):
    run = start(site, Quiet(), values={**small, "method": "orpo"})
    assert run.name == "orpo-1"
    assert run.curves.best.loss < run.curves.valid[0].loss
    assert run.curves.best.preferred == 1
    assert not (registry.run_folder(site, run.name) / FILE).exists()


@pytest.mark.parametrize("stops", [[0], [5], [6, 9]])
def test_stopped_and_resumed(site, dpo, stops):
    stop_and_resume(site, dpo, stops)


def test_the_reference_is_computed_once(site, dpo):
    screen = Quiet()
    run = start(site, screen, values=dpo, stop=lambda: screen.iteration >= 5)
    file = registry.run_folder(site, run.name) / FILE
    logps = json.loads(file.read_text(encoding="utf-8"))
    assert np.array(logps).shape == (13, 2)
    file.write_text(json.dumps([[1000.0, 0.0]] * 13), encoding="utf-8")
    # With another reference the loss is another one: it is read, not computed again.
    assert resume(site, Quiet()).curves.valid[-1].loss > 100


@pytest.mark.slow
def test_killed_and_resumed(site, dpo):
    whole = start(site, Quiet(), values=dpo, name="whole")
    module = Path(__file__).with_name("killed_run.py")
    arguments = [str(site.root), "8", json.dumps(dpo)]
    killed = subprocess.run([sys.executable, str(module), *arguments], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert_same(site, resume(site, Quiet()), whole)


def test_without_preferences_it_says_where_they_come_from(site, dpo):
    (version_folder(site) / PREFERENCES).unlink()
    with pytest.raises(
        SitetwinError, match=r"data set 1 has no preferences .* review page .* `sitetwin dataset build`"
    ):
        start(site, Quiet(), values=dpo)
    assert registry.runs(site) == []


def test_what_an_adapter_can_not_become_is_refused(site, dpo, small, base):
    start(site, Quiet(), values={**small, "iters": 1}, name="voice")
    lora = {**small["lora_parameters"], "rank": 8}
    with pytest.raises(SitetwinError, match=r"'voice' has lora_parameters.rank 4, which .* train a new adapter"):
        start(site, Quiet(), values={**dpo, "lora_parameters": lora}, begin="voice")
    adapter = find_adapter(site, "voice")
    card = json.loads((adapter.folder / "sitetwin.json").read_text(encoding="utf-8"))
    write_card(adapter.folder, AdapterCard.model_validate({**card, "visibility": "private"}))
    with pytest.raises(SitetwinError, match="'voice' was trained on private notes"):
        start(site, Quiet(), values=dpo, begin="voice")
    write_card(adapter.folder, AdapterCard.model_validate({**card, "base_hash": "0" * 64}))
    with pytest.raises(SitetwinError, match=r"'voice' was trained on .* other weights"):
        start(site, Quiet(), values=dpo, begin="voice")
    with pytest.raises(SitetwinError, match="there is no adapter 'none'"):
        start(site, Quiet(), values=dpo, begin="none")
    assert [run.name for run in registry.runs(site)] == ["voice"]
