from datetime import UTC, datetime

import pytest

from pipeline.dataset.versions import version_folder
from pipeline.training import registry
from pipeline.training.config import configuration
from pipeline.training.curves import Curves, Forgetting, TrainPoint, ValidPoint
from pipeline.training.registry import Run, RunScore
from pipeline.training.report import REPORT, curve_rows, write_report
from pipeline.training.verdict import judge


@pytest.fixture
def run(site) -> Run:
    """A run that nobody trained, in the registry."""
    curves = Curves(
        valid=[ValidPoint(iteration=7 * place, loss=loss) for place, loss in enumerate([3.0, 2.0, 1.5, 2.5])],
        train=[
            TrainPoint(iteration=5 * place, loss=loss, learning_rate=1e-4, tokens_per_second=100, memory_gb=2)
            for place, loss in enumerate([2.8, 2.2, 1.2, 0.5], 1)
        ],
    )
    forgetting = Forgetting(before=2.5, after=2.75, last=3.5)
    made = Run(
        name="mine", preset="overfit", config=configuration("overfit").for_rows(15), data_set=1,
        data_visibility="public", rows={"train": 15, "valid": 5}, visibility="public", base="demo", base_hash="abc",
        made_at=datetime.now(UTC), warnings=["<i>only</i> 15 rows"], state="done", iteration=21, curves=curves,
        forgetting=forgetting, verdict=judge(curves, forgetting),
    )  # fmt: skip
    registry.create(site, made)
    return made


def test_the_report_says_what_the_record_says_in_one_file(site, run):
    html = write_report(site, run).read_text(encoding="utf-8")
    assert "<b>overfit</b>: after iteration 14 the validation loss rose from 1.500 to 2.500" in html
    assert "&lt;i&gt;only&lt;/i&gt; 15 rows" in html
    assert "from 2.500 to 2.750 (+0.250, +10.0%)" in html
    assert "<code>mine-last</code>: 3.500" in html
    assert "<tr><th>lora_parameters.rank</th><td>64</td></tr>" in html
    assert "15 rows to train on, 5 to validate, 7 iterations an epoch" in html
    assert "prefers" not in html  # light and dark follow color-scheme
    assert "@media print" in html
    assert not any(word in html for word in ("<script", "http://", "https://", "<link"))
    assert "Scores" not in html


def test_scores_come_into_record_and_report_and_replace_older_ones(site, run):
    def score(mean: float, adapter: str = "mine") -> RunScore:
        return RunScore(adapter=adapter, asked="held out", mode="lora", questions=9, mean=mean, by_kind={"fact": mean})

    registry.keep_scores(site, "mine", [score(0.25), score(0.125, "mine-last")])
    kept = registry.keep_scores(site, "mine", [score(0.5)])
    assert kept.scores == [score(0.5), score(0.125, "mine-last")] == registry.find(site, "mine").scores
    html = write_report(site, kept).read_text(encoding="utf-8")
    assert "fact 0.50" in html
    assert "0.25" not in html.split("<h2>Scores</h2>")[1].split("<h2>")[0]


def test_a_data_set_that_is_gone_is_said_to_be(site, run):
    version_folder(site).rename(site.state / "elsewhere")
    assert "It is no longer there." in write_report(site, run).read_text(encoding="utf-8")


def test_a_row_of_the_table_is_an_evaluation_with_the_training_loss_since_the_one_before(run):
    assert [(row.iteration, row.train, row.valid) for row in curve_rows(run.curves)] == [
        (0, None, 3.0), (7, 2.8, 2.0), (14, 2.2, 1.5), (21, pytest.approx(0.85), 2.5)
    ]  # fmt: skip


def test_no_report_is_left_half_written(site, run):
    path = write_report(site, run)
    assert path.name == REPORT
    assert [file.name for file in path.parent.iterdir() if file.name.startswith(".")] == []
