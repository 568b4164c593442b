import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.surroundings import environment, keep_private, python_module


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_relative_entries_of_the_import_path_are_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([".", "/opt/lib", "", "src"]))
    assert environment({"A": "b"}) == {**os.environ, "A": "b", "PYTHONPATH": "/opt/lib", "PYTHONSAFEPATH": "1"}
    monkeypatch.setenv("PYTHONPATH", ".")
    assert "PYTHONPATH" not in environment()


def test_a_module_and_what_it_starts_never_see_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "timeit.py").write_text("raise SystemExit('the site was imported')", encoding="utf-8")
    below = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import timeit'], check=True)"
    command = python_module("timeit", "-n1", "-r1", below)
    run = subprocess.run(command, cwd=tmp_path, env=environment({"PYTHONPATH": "."}), capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    unsafe = subprocess.run([sys.executable, "-m", "timeit"], cwd=tmp_path, capture_output=True, text=True)
    assert "the site was imported" in unsafe.stderr


def test_what_others_could_read_is_closed_and_what_comes_is_private(tmp_path: Path) -> None:
    state, elsewhere = tmp_path / ".sitetwin", tmp_path / "elsewhere"
    (state / "runs" / "1").mkdir(parents=True)
    for path, bits in ((state / "index.db", 0o664), (state / "runs" / "1" / "train", 0o755), (elsewhere, 0o644)):
        path.touch()
        path.chmod(bits)
    (state / "link").symlink_to(elsewhere)
    assert keep_private(state) == []
    (state / "later").touch()
    (state / "logs").mkdir()
    assert [mode(path) for path in (state, state / "runs", state / "runs" / "1", state / "logs")] == [0o700] * 4
    assert [mode(path) for path in (state / "index.db", state / "later")] == [0o600] * 2
    assert mode(state / "runs" / "1" / "train") == 0o700
    assert mode(elsewhere) == 0o644


def test_a_state_directory_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert keep_private(tmp_path / "none") == []
    assert not (tmp_path / "none").exists()


@pytest.mark.skipif(not Path("/proc/self/attr").is_dir(), reason="a folder whose modes nobody can change")
def test_what_can_not_be_closed_is_named() -> None:
    folder = Path("/proc/self/attr")
    assert folder in keep_private(folder)
