"""The workflow runs what .ci/run says, on what is promised; the rest of its form is for GitHub to say."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
FILE = ROOT / ".github" / "workflows" / "ci.yml"


def job() -> dict[str, Any]:
    (only,) = yaml.safe_load(FILE.read_text(encoding="utf-8"))["jobs"].values()
    return only


def test_every_machine_and_python_that_is_promised_runs_the_checks() -> None:
    matrix = job()["strategy"]["matrix"]
    assert matrix["machine"] == ["ubuntu-24.04", "ubuntu-24.04-arm", "macos-15"]
    promised = re.findall(r"python3\.\d+", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert {f"python{version}" for version in matrix["python"]} == set(promised)
    assert ".ci/run" in [step.get("run") for step in job()["steps"]]


def test_no_registry_is_named() -> None:
    assert not re.search(r"https?://|index-url|registry", FILE.read_text(encoding="utf-8"))
