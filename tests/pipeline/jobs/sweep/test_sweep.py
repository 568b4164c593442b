import json

import pytest

from pipeline.errors import SettingsError, SitetwinError
from pipeline.jobs.sweep import sweep as sweeping
from pipeline.training import registry
from tests.pipeline.training.test_run import Listener


@pytest.fixture
def values(small) -> dict:
    return {**small, "iters": 6, "steps_per_eval": 3, "save_every": 3}


def test_ranks_over_seeds_with_one_report(site, values):
    sweep = sweeping.begin(site, ranks=[8, 2], seeds=2, values=values)
    assert sweeping.go_on(site, Listener(), sweep).ended_at
    assert [run.name for run in registry.runs(site)] == [
        "sweep-1-rank2-seed0", "sweep-1-rank8-seed0", "sweep-1-rank2-seed1", "sweep-1-rank8-seed1"
    ]  # fmt: skip
    # The configuration has rank 4 and scale 2.
    scales = {run.config.lora_parameters.rank: run.config.lora_parameters.scale for run in registry.runs(site)}
    assert scales == {2: 4.0, 8: 1.0}
    found = sweep.groups(site)
    assert [(group.rank, sorted(group.losses)) for group in found] == [(2, [0, 1]), (8, [0, 1])]
    low, high = found[0].interval
    assert low < found[0].mean < high
    report = (site.state / "reports" / "sweep-1.html").read_text(encoding="utf-8")
    assert f"{found[1].mean:.3f}" in report
    assert "<img" in report


def test_it_is_stopped_and_gone_on_with(site, values):
    screen = Listener()
    sweep = sweeping.begin(site, ranks=[2, 8], seeds=1, values=values)
    sweeping.go_on(site, screen, sweep, stop=lambda: len(screen.losses) >= 8)
    assert [run.state for run in registry.runs(site)] == ["done", "stopped"]
    again = sweeping.SWEEPS.unfinished(site)
    assert sweeping.go_on(site, screen, again).ended_at
    assert [run.state for run in registry.runs(site)] == ["done", "done"]
    assert len(screen.losses) == 12
    with pytest.raises(SitetwinError, match="no sweep was interrupted"):
        sweeping.SWEEPS.unfinished(site)


def test_rank_stabilised_and_wrong(site, values):
    sweep = sweeping.begin(site, ranks=[16], seeds=1, values={**values, "use_rslora": True})
    sweeping.go_on(site, Listener(), sweep)
    # alpha is 8, over the root of 16
    assert registry.runs(site)[0].config.lora_parameters.scale == pytest.approx(2.0)
    with pytest.raises(SettingsError, match="a full fine-tune has no rank"):
        sweeping.begin(site, ranks=[4], seeds=1, values={**values, "fine_tune_type": "full"})
    record = json.loads((site.state / "reports" / "sweep-1.json").read_text(encoding="utf-8"))
    assert record["ranks"] == [16]


def test_what_can_not_go_on_says_what_starts_anew(site, values):
    sweep = sweeping.begin(site, ranks=[2], seeds=1, values=values)
    with pytest.raises(SitetwinError, match="train again with a lower learning_rate"):
        sweeping.go_on(site, Listener(), sweep.model_copy(update={"values": {**values, "learning_rate": 1e9}}))
    with pytest.raises(SitetwinError, match=r"'sweep-1-rank2-seed0' is failed .*: `sitetwin train --ranks"):
        sweeping.go_on(site, Listener(), sweep)
    (site.state / "reports" / "sweep-1.json").write_text("{", encoding="utf-8")
    with pytest.raises(SitetwinError, match=r"sweep-1.json can't be read: remove it; `sitetwin train --ranks"):
        sweeping.SWEEPS.unfinished(site)
