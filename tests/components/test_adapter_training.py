"""Adapter Training on a small site with a tiny model: a whole retraining as a node of a flow does it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.sitetwin.adapter_choice import AdapterChoiceComponent
from components.sitetwin.adapter_training import AdapterTrainingComponent
from pipeline.errors import SettingsError
from pipeline.jobs.retraining.job import read_job
from pipeline.settings import Settings
from tests.retraining_site import SMALL, end_processes, make_site

pytestmark = pytest.mark.slow

VALUES = "\n".join(f"{key}={value}" for key, value in SMALL.items() if not isinstance(value, dict))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    from tests.tiny_llama import make_bases

    (tmp_path / "models").mkdir()
    make_bases(tmp_path / "models")
    (tmp_path / "site").mkdir()
    settings = make_site(tmp_path / "site", tmp_path / "models" / "base")
    monkeypatch.setenv("SITETWIN_CONFIG", str(settings.file))
    yield settings
    end_processes(settings)


def test_it_trains_compares_and_tells_how_it_ended(site: Settings) -> None:
    component = AdapterTrainingComponent(values=VALUES)
    message = asyncio.run(component.resolve_output("report"))
    job = read_job(site)
    assert job is not None
    assert job.state == "done"
    assert job.summary in message.text
    assert "step 2 of 3, training" in message.text
    rows = asyncio.run(component.result()).to_dict(orient="records")
    assert {(row["run"], row["outcome"]) for row in rows} == {("best-1", job.outcome)}
    assert [(row["mode"], row["measure"]) for row in rows] == [(one.mode, one.measure) for one in job.comparisons]
    assert {(row["mode"], row["measure"]) for row in rows} >= {("lora", "accuracy"), ("hybrid", "accuracy")}
    assert "| lora | accuracy | base" in message.text
    runs = asyncio.run(AdapterChoiceComponent().all_runs()).to_dict(orient="records")
    assert [(row["run"], row["state"]) for row in runs] == [("best-1", "done")]

    # As an agent's tool it starts the job and answers at once: nothing is new.
    (tool,) = asyncio.run(AdapterTrainingComponent(values=VALUES).to_toolkit())
    assert list(tool.args) == ["preset"]
    assert "retraining 2: step 1 of 3" in asyncio.run(tool.ainvoke({"preset": "best"}))
    again = asyncio.run(AdapterTrainingComponent(values=VALUES).report())
    assert "done; nothing has changed since" in again.text


def test_a_key_that_is_not_there_is_named(site: Settings) -> None:
    with pytest.raises(SettingsError, match="iterations"):
        asyncio.run(AdapterTrainingComponent(values="iterations=3").report())
    assert read_job(site) is None
