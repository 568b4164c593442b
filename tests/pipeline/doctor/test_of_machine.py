from pathlib import Path

import pytest

from pipeline.doctor.finding import Finding
from pipeline.doctor.of_machine import of_machine
from pipeline.machine import Machine
from pipeline.settings import ModelSettings, Settings, TeacherSettings

GEMMA = "mlx-community/gemma-3-12b-it-4bit"
MAC = Machine("darwin", "arm64", "15.1", 16 * 2**30)


def findings(
    root: Path, machine: Machine = MAC, chat: str = GEMMA, teacher: str = "extractive", free: float = 100
) -> dict[str, Finding]:
    settings = Settings(root=root, models=ModelSettings(chat=chat), teacher=TeacherSettings(model=teacher))
    found = of_machine(settings, machine, root / "hub", root / "cache", lambda folder: int(free * 1e9))
    return {finding.name: finding for finding in found}


@pytest.mark.parametrize(
    ("version", "processor", "state", "said"),
    [
        ("15.1", "arm64", "ok", "macOS 15.1, arm64"),
        ("13.6.1", "arm64", "missing", "needs macOS 14"),
        ("14.4", "x86_64", "missing", "needs Apple silicon"),
    ],
)
def test_a_mac_is_new_enough_and_has_apples_chip(
    tmp_path: Path, version: str, processor: str, state: str, said: str
) -> None:
    found = findings(tmp_path, Machine("darwin", processor, version, 2**34))["system"]
    assert (found.state, said in found.text) == (state, True)
    assert bool(found.mend) == (state == "missing")


def test_linux_has_no_version_to_check(tmp_path: Path) -> None:
    assert "system" not in findings(tmp_path, Machine("linux", "x86_64", "", 2**34))


def test_the_disk_must_take_the_download_until_it_is_there(tmp_path: Path) -> None:
    short = findings(tmp_path, free=9)["disk"]
    assert short.state == "missing"
    assert f"9.0 GB free for {GEMMA}" in short.text
    assert "free at least 10.0 GB there, or set HF_HOME" in short.mend
    assert findings(tmp_path, free=11)["disk"].state == "ok"
    snapshot = tmp_path / "hub" / f"models--{GEMMA.replace('/', '--')}" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "model-00001-of-00002.safetensors").touch()
    assert findings(tmp_path, free=9)["disk"].state == "ok"
    assert findings(tmp_path, chat="demo", free=9)["disk"].state == "ok"
    assert findings(tmp_path, chat="demo", free=1)["disk"].state == "missing"


def test_what_a_broken_download_left_is_named(tmp_path: Path) -> None:
    assert "hub cache" not in findings(tmp_path)
    blobs = tmp_path / "hub" / "models--a--b" / "blobs"
    blobs.mkdir(parents=True)
    with (blobs / "0123.abcd.incomplete").open("wb") as file:
        file.truncate(2_500_000_000)
    found = findings(tmp_path)["hub cache"]
    assert "2.5 GB of broken downloads" in found.text
    assert "*.incomplete" in found.mend


@pytest.mark.parametrize(
    ("gigabytes", "state", "mend"), [(8, "note", "gemma-3-4b-it-4bit"), (16, "ok", ""), (4, "note", '"demo"')]
)
def test_the_memory_is_held_against_the_model(tmp_path: Path, gigabytes: int, state: str, mend: str) -> None:
    found = findings(tmp_path, Machine("darwin", "arm64", "15", gigabytes * 2**30))["memory"]
    assert (found.state, mend in found.mend) == (state, True)


@pytest.mark.parametrize(
    ("gigabytes", "teacher", "is_said"),
    [
        (32, "ollama:gemma3:27b", True),
        (64, "ollama:gemma3:27b", False),
        (32, "ollama:qwen3:4b", False),
        (16, "engine", False),
    ],
)
def test_a_teacher_in_ollama_stands_beside_the_engine(
    tmp_path: Path, gigabytes: int, teacher: str, is_said: bool
) -> None:
    found = findings(tmp_path, Machine("darwin", "arm64", "15", gigabytes * 2**30), teacher=teacher)
    assert ("teacher" in found) == is_said
    if is_said:
        assert "`ollama stop`" in found["teacher"].mend
