from datetime import UTC, datetime

from pipeline.adapters import put_to_use
from pipeline.training import registry
from pipeline.training.config import configuration
from pipeline.training.curves import Curves, ValidPoint
from pipeline.training.listing import run_rows
from pipeline.training.registry import Run


def make_run(name: str, curves: Curves) -> Run:
    return Run(
        name=name, preset="best", config=configuration("best").for_rows(15), data_set=1, data_visibility="public",
        rows={"train": 15, "valid": 5}, visibility="public", base="demo", base_hash="abc", made_at=datetime.now(UTC),
        state="done", curves=curves,
    )  # fmt: skip


def test_before_the_first_training_there_are_none(site) -> None:
    assert run_rows(site) == []


def test_the_newest_comes_first_and_the_promoted_one_is_marked(site) -> None:
    losses = [ValidPoint(iteration=iteration, loss=loss) for iteration, loss in ((0, 3.5), (10, 2.25), (20, 2.5))]
    registry.create(site, make_run("first", Curves(valid=losses)))
    registry.create(site, make_run("second", Curves()))
    put_to_use(site, "first")
    second, first = run_rows(site)
    assert (second.run, second.promoted, second.best_loss) == ("second", False, None)
    assert (first.promoted, first.best_loss) == (True, 2.25)
    assert first.said == "first: done, promoted, best validation loss 2.250; public"
