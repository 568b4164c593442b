"""An environment for what is compared with and needs torch: under .sitetwin/bench-env, made once and kept."""

import subprocess
import sys
from pathlib import Path

from pipeline.settings import STATE_DIRECTORY

ENVIRONMENT = Path(__file__).resolve().parents[1] / STATE_DIRECTORY / "bench-env"


def python_with(*packages: str) -> Path:
    """The interpreter of that environment with `packages` in it (torch: several hundred MB).

    Raises:
        subprocess.CalledProcessError, OSError: they can't be installed.
    """
    python, ready = ENVIRONMENT / "bin" / "python", ENVIRONMENT / ".ready"
    installed = ready.read_text(encoding="utf-8").split() if ready.is_file() else None
    if installed is None:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True, stdout=sys.stderr)
    if missing := [package for package in packages if package not in (installed or [])]:
        print(f"installing {', '.join(missing)} into {ENVIRONMENT}, once", file=sys.stderr)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *missing], check=True, stdout=sys.stderr)
        ready.write_text(" ".join([*(installed or []), *missing]), encoding="utf-8")
    return python
