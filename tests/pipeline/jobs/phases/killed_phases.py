"""Run by test_phases: phases that end by SIGKILL in an iteration of the best run.

Arguments: the site's folder, the iteration and the values as JSON.
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
        self.run: Any = None

    def say(self, text: str) -> None:
        """Nobody listens."""

    def start(self, run: Any) -> None:
        self.run = run

    def point(self, point: Any) -> None:
        """Nobody listens."""

    def asked(self, asked: str, done: int, total: int) -> None:
        """Nobody listens."""

    def seconds_for(self, iterations: int, every: int) -> float:
        return 0.0

    def step(self, iteration: int, loss: float) -> None:
        if self.run.preset == "best" and iteration == self.iteration:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    blas.preload(1)
    from pipeline.jobs.phases.experiment import begin, go_on

    settings = load_settings(Path(sys.argv[1]) / "sitetwin.toml")
    go_on(settings, Killer(int(sys.argv[2])), begin(settings, values=json.loads(sys.argv[3]), asked=2))
