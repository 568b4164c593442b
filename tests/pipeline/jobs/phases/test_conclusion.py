import re
from datetime import UTC, datetime

import pytest

from pipeline.evaluation.comparing import AnswerScores, ScoredAnswer
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


def scores(system: str, *values: float) -> AnswerScores:
    answers = [ScoredAnswer(question=str(n), kind="fact", answer="", score=value) for n, value in enumerate(values)]
    return AnswerScores(adapter=None if system == "base" else system, mode="lora", answers=answers)


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
    assert not any(
        "by heart" in said for said in conclusion({}, {"base": {"held out": scores("base"), "seen": scores("base")}})
    )


def test_answers_are_compared_with_the_bases():
    held = {"base": [0.1] * 8, "best": [0.5] * 8, "overfit-last": [0.2] * 8}
    seen = {"base": [0.1] * 8, "best": [0.6] * 8, "overfit-last": [0.9] * 8}
    said = conclusion(
        {},
        {system: {"held out": scores(system, *held[system]), "seen": scores(system, *seen[system])} for system in held},
    )
    assert said[0].startswith("Held-out questions, lora: best 0.50, the base 0.10 on 8 questions: better")
    assert "+0.40" in said[0]
    assert "+0.30" in said[2]
    assert said[3].startswith("Learnt by heart: overfit-last is better on questions it has seen")
    assert "0.70" in said[3]
