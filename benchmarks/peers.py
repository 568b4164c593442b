"""Peers that need torch. They have their own environment, apart from the project's."""

import subprocess
import sys
from pathlib import Path

from pipeline.settings import STATE_DIRECTORY

ENVIRONMENT = Path(__file__).resolve().parents[1] / STATE_DIRECTORY / "bench-env"

_ARE_THERE = "import sys; from importlib.metadata import version; [version(name) for name in sys.argv[1:]]"


def peer_python(*packages: str) -> Path:
    """The Python of the peers' environment with `packages`, which are installed if they are missing.

    Raises:
        subprocess.CalledProcessError: the packages can't be installed.
        OSError: the environment can't be made.
    """
    python = ENVIRONMENT / "bin" / "python"
    if not python.is_file():
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True, stdout=sys.stderr)
    if subprocess.run([str(python), "-c", _ARE_THERE, *packages], capture_output=True).returncode:
        print(f"installing {', '.join(packages)} into {ENVIRONMENT}, once", file=sys.stderr)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True, stdout=sys.stderr)
    return python
