import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("machine", "says"),
    [
        ("Darwin arm64 14.0", ""),
        ("Darwin arm64 26.1.2", ""),
        ("Linux x86_64 ", ""),
        ("Linux aarch64 ", ""),
        ("", ""),
        ("Darwin x86_64 14.5", "install an arm64 Python"),
        ("Darwin arm64 13.7.1", "needs macOS 14 for MLX, this is 13.7.1"),
    ],
)
def test_a_mac_that_mlx_does_not_run_on_is_told_before_anything_is_installed(machine: str, says: str) -> None:
    made = subprocess.run(["make", "machine", f"MACHINE={machine}"], cwd=ROOT, capture_output=True, text=True)
    assert bool(made.returncode) == bool(says)
    assert says in made.stderr


def test_the_check_comes_before_the_installation() -> None:
    planned = subprocess.run(
        ["make", "-n", "test", "VENV=nowhere", "PYTHON=python3"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert planned.index("needs Apple silicon") < planned.index("-m venv nowhere")
