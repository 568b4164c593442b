import re
from datetime import UTC, datetime

import pytest

from pipeline.evaluation.doubt import estimate
from pipeline.evaluation.figures import Figure, compared
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.evaluation.systems import System
from pipeline.jobs.evaluating.record import Evaluation, SystemResult
from pipeline.jobs.phases.conclusion import conclusion
from pipeline.training.config import configuration
from pipeline.training.curves import Curves, TrainPoint, ValidPoint
from pipeline.training.registry import Run
from pipeline.training.verdict import judge


def run(preset, valid: list[float], train: list[float], rows: int = 200) -> Run:
    curves = Curves(
        valid=[ValidPoint(iteration=50 * place, loss=loss) for place, loss in enumerate(valid)],
        train=[
            TrainPoint(iteration=50 * place, loss=loss, learning_rate=1e-4, tokens_per_second=1, memory_gb=1)
            for place, loss in enumerate(train, 1)
        ],
    )
    return Run(
        name=preset, preset=preset, config=configuration(preset), data_set=1, data_visibility="public",
        rows={"train": 200, "valid": rows}, visibility="public", base="demo", base_hash="", made_at=datetime.now(UTC),
        state="done", iteration=100, curves=curves, verdict=judge(curves),
    )  # fmt: skip


def evaluation(said: dict[str, list[float]]) -> Evaluation:
    """An evaluation in which each system said these shares of the facts."""
    values = {name: {f"{n}?": share for n, share in enumerate(shares)} for name, shares in said.items()}
    systems = {
        name: SystemResult(
            system=System(name=name, mode="lora"), model="m", adapter=name, memory_mb=None, replies=[],
            figures={"completeness": Figure(all=found)} if (found := estimate(shares, binary=False)) else {},
        )
        for name, shares in said.items()
    }  # fmt: skip
    by_measure = {name: {"completeness": of} for name, of in values.items()}
    return Evaluation(
        number=1, made_at=datetime.now(UTC), seconds=1, visibility=None, file="f", known={}, data_set=1, kept=0, parallel=1,
        questions=[GoldenQuestion(question=one, kind="voice") for one in next(iter(values.values()))],
        systems=systems, comparisons=compared(by_measure, {"completeness": False}),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("valid", "train", "words"),
    [
        (
            [3.0, 2.0, 1.6, 2.4], [2.5, 1.5, 0.4],
            r"The U-curve is there: .* from 3\.000 to 1\.600 \(epoch 1\.0\) and was 2\.400 at the end \(epoch 1\.5\), 50%",
        ),
        ([3.0, 2.0, 1.6, 1.61], [2.5, 1.9, 1.6], "There is no U-curve: .* More epochs may show one"),
        ([3.0, 3.2, 3.4, 3.6], [2.5, 1.9, 0.6], "There is no U-curve: .* never below the untrained model"),
        ([3.0, 4.0, 4.1, 4.6], [3.5, 3.9, 4.4], "No U-curve can be read, for the steps were too large"),
        ([], [3.5, 3.9], "Without validation rows no U-curve"),
    ],
)  # fmt: skip
def test_the_u_curve_is_there_or_it_is_said_that_it_is_not(valid, train, words):
    assert re.search(words, conclusion({"overfit": run("overfit", valid, train)}, {})[0])


def test_the_ends_are_compared_and_few_rows_are_named():
    runs = {
        "underfit": run("underfit", [3.0, 2.5], [2.6], 40),
        "best": run("best", [3.0, 2.0, 1.9], [2.5, 2.0], 40),
        "overfit": run("overfit", [3.0, 2.0, 2.6], [2.5, 0.9], 40),
    }
    said = conclusion(runs, {})
    assert said[1].endswith("underfit 2.500, best 1.900, overfit 2.600; the lowest is that of best.")
    assert said[2].startswith("There are 40 validation rows")
    assert conclusion({}, {}) == []
    assert conclusion({}, {"held out": evaluation({"lora:base": []})}) == []


def test_answers_are_compared_with_the_bases():
    shares = {
        "held out": {"lora:base": [0.0] * 12, "lora:best": [0.5] * 12, "lora:overfit-last": [0.0] * 12},
        "seen": {"lora:base": [0.0] * 8, "lora:best": [0.6] * 8, "lora:overfit-last": [0.75] * 8},
    }
    said = conclusion({}, {asked: evaluation(of) for asked, of in shares.items()})
    assert said == [
        "Held-out questions: lora:best is better than lora:base, completeness: +50 points (+50 to +50), p = .001.",
        "Held-out questions: lora:base and lora:overfit-last, completeness: no difference shown on 12 questions.",
        "Learnt by heart: lora:overfit-last says 75% more of the facts of questions that it has seen than of held-out ones, "
        "more than any other.",
    ]
