"""Run by test_resume: a training run that ends by SIGKILL in its Nth iteration, before anything of it is recorded.

Arguments: the site's folder, N and the configuration as JSON.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from pipeline.settings import load_settings
from pipeline.weights import blas


class Killer:
    def __init__(self, iteration: int) -> None:
        self.iteration = iteration

    def say(self, text: str) -> None:
        """Nobody listens."""

    def start(self, run: Any) -> None:
        """Nobody listens."""

    def point(self, point: Any) -> None:
        """Nobody listens."""

    def step(self, iteration: int, loss: float) -> None:
        if iteration == self.iteration:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    blas.preload(1)
    from pipeline.training.run import start

    settings = load_settings(Path(sys.argv[1]) / "sitetwin.toml")
    start(settings, Killer(int(sys.argv[2])), values=json.loads(sys.argv[3]), name="run")
