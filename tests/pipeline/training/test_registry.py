import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result

from pipeline.commands.main import main
from pipeline.errors import SitetwinError
from pipeline.training import registry
from pipeline.training.config import configuration
from pipeline.training.registry import Run, RunScore

BROKEN = ["", "{", "[]", '{"name": "broken"}', "\ufeff"]


def make_run(name: str) -> Run:
    return Run(
        name=name, preset="best", config=configuration("best").for_rows(15), data_set=1, data_visibility="public",
        rows={"train": 15, "valid": 5}, visibility="public", base="demo", base_hash="abc", made_at=datetime.now(UTC),
        state="stopped",
    )  # fmt: skip


@pytest.fixture
def broken(site):
    """The record of the run `broken`, which can't be read; the run `whole` was stopped after it."""
    for name in ("broken", "whole"):
        registry.create(site, make_run(name))
    record = registry.run_folder(site, "broken") / registry.RECORD
    record.write_text("{", encoding="utf-8")
    return record


def sitetwin(site, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--config", str(site.file), *arguments])


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_record_blocks_no_other_run(site, broken, content):
    broken.write_text(content, encoding="utf-8")
    assert [run.name for run in registry.runs(site)] == ["whole"]
    assert registry.resumable(site).name == "whole"
    assert registry.find(site, "whole").state == "stopped"
    assert list(registry.unreadable_runs(site)) == ["broken"]


@pytest.mark.parametrize(
    "use", [registry.find, registry.resumable, lambda site, name: registry.create(site, make_run(name))]
)
def test_a_run_with_a_broken_record_is_named_with_the_next_step(site, broken, use):
    with pytest.raises(SitetwinError, match=f"can't be read .*: put back a copy of it, or remove {broken.parent}$"):
        use(site, "broken")
    assert registry.free_name(site, "best") == "best-1"


def test_a_record_that_is_no_file_blocks_nothing_either(site, broken):
    broken.unlink()
    broken.mkdir()
    assert [run.name for run in registry.runs(site)] == ["whole"]
    assert "directory" in registry.unreadable_runs(site)["broken"]


def test_runs_lists_what_it_can_not_read(site, broken):
    shown = sitetwin(site, "runs")
    assert shown.exit_code == 0
    assert "whole: stopped" in shown.stdout
    assert f"broken: unreadable; {broken} can't be read" in shown.stdout
    listed = json.loads(sitetwin(site, "runs", "--json").stdout)
    assert [run["name"] for run in listed["runs"]] == ["whole"]
    assert list(listed["unreadable"]) == ["broken"]


def test_export_is_not_stopped_by_the_broken_record_of_another_run(site, broken):
    told = sitetwin(site, "export", "whole", "--to", "peft")
    assert told.exit_code == 1
    assert "the run 'whole' is stopped and has made no adapter" in told.stderr


def test_scores_that_are_no_numbers_are_read_as_they_were_written(site):
    run = make_run("scored")
    registry.create(site, run)
    score = RunScore(
        adapter="scored", asked="golden", mode="lora", questions=3, mean=float("nan"), by_kind={"a": float("inf")}
    )
    kept = registry.keep_scores(site, "scored", [score])
    read = registry.find(site, "scored")
    assert repr(read) == repr(kept)
    assert repr(read.scores[0].mean) == "nan"
