from datetime import UTC, datetime

import pytest

from pipeline.training.config import configuration
from pipeline.training.curves import TrainPoint, ValidPoint
from pipeline.training.registry import Run
from pipeline.training.screen import TerminalScreen


def a_run(name: str, iterations: int) -> Run:
    return Run(
        name=name, preset="best", config=configuration("best", {"iters": iterations}).for_rows(100), data_set=1,
        data_visibility="public", rows={"train": 100, "valid": 5}, visibility="public", base="demo", base_hash="",
        made_at=datetime.now(UTC),
    )  # fmt: skip


def report(iteration: int) -> TrainPoint:
    return TrainPoint(iteration=iteration, loss=2.5, learning_rate=1e-4, tokens_per_second=123, memory_gb=1.25)


def test_each_run_says_once_how_long_it_takes_and_each_evaluation_what_it_found(capsys):
    with TerminalScreen() as screen:
        for name in ("one", "two"):
            screen.start(a_run(name, 40))
            screen.point(ValidPoint(iteration=0, loss=3.0))
            for iteration in (1, 2):
                screen.step(iteration, 2.5)
            screen.point(report(2))
            screen.point(report(4))
            screen.point(ValidPoint(iteration=4, loss=2.75))
    said = capsys.readouterr().err
    assert said.count("minutes are left") == 2
    assert said.count("iteration 4 of 40: validation loss 2.750, 123 tokens/s, 1.2 GB") == 2


def test_the_time_left_is_that_of_steps_and_evaluations():
    screen = TerminalScreen()
    assert screen.seconds_for(100, 10) == 0
    screen.start(a_run("one", 40))
    screen.point(ValidPoint(iteration=0, loss=3.0))
    evaluations = screen.seconds_for(10, 1)
    assert evaluations > 0
    screen.step(1, 2.5)
    steps = screen.seconds_for(10, 1) - evaluations
    assert steps > 0
    assert screen.seconds_for(20, 4) == pytest.approx(2 * steps + evaluations / 2)
