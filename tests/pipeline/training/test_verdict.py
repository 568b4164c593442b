import json
import re
from pathlib import Path

import pytest

from pipeline.training.curves import Curves, Forgetting, TrainPoint, ValidPoint
from pipeline.training.verdict import judge

RECORDED = json.loads(Path(__file__).with_name("recorded_curves.json").read_text(encoding="utf-8"))
"""Of real runs of the demo model on pairs of the guides and a blog."""


def curves(valid: list[float], train: list[float]) -> Curves:
    return Curves(
        valid=[ValidPoint(iteration=100 * place, loss=loss) for place, loss in enumerate(valid)],
        train=[
            TrainPoint(iteration=100 * place, loss=loss, learning_rate=1e-5, tokens_per_second=1, memory_gb=1)
            for place, loss in enumerate(train, 1)
        ],
    )


@pytest.mark.parametrize(
    ("valid", "train", "name", "words"),
    [
        ([3.0, 2.5, 2.1, 1.8], [2.8, 2.3, 1.9], "underfit", "still falling at the end, from 2.100 to 1.800"),
        ([3.0, 2.0, 1.6, 1.5, 1.499], [2.5, 1.9, 1.6, 1.5], "good", "from 3.000 to 1.499 and has flattened"),
        ([3.0, 1.6, 1.5, 1.51], [2.5, 1.6, 1.3], "good", "from 3.000 to 1.500"),
        ([3.0, 2.0, 1.6, 1.9, 2.2], [2.5, 1.5, 0.9, 0.4], "overfit", "after iteration 200 .* went on falling"),
        ([3.0, 3.1, 3.4], [2.5, 1.0, 0.2], "overfit", "never fell below the untrained model's 3.000"),
        ([3.0, 3.1, 3.4], [2.5, 2.6, 2.7], "diverged", "rose from the untrained model's 3.000 to 3.400"),
        ([3.0, 4.2, 3.1, 2.9, 2.8], [4.0, 3.3, 3.0, 2.9], "diverged", "to 4.200 before it fell to 2.800"),
        ([3.0, 2.5, 2.4, 3.5], [2.6, 2.2, 3.6], "diverged", "after iteration 200 both losses rose"),
        ([3.0, 3.0, 3.01], [2.9, 2.95, 2.9], "underfit", "stayed at the untrained model's"),
        ([], [2.5, 2.0], "unknown", "no validation curve"),
        ([3.0], [], "unknown", "no validation curve"),
    ],
)
def test_the_curves_are_named_with_what_to_change(valid, train, name, words):
    verdict = judge(curves(valid, train))
    assert verdict.name == name
    assert re.search(words, verdict.text)
    assert verdict.change


def test_the_best_is_the_earliest_lowest_after_training_began():
    assert curves([1.0, 3.0, 2.0, 2.0, 4.0], []).best.iteration == 200
    assert curves([1.0], []).best is None


@pytest.mark.parametrize("name", RECORDED)
def test_real_runs_are_named_rightly(name):
    run = RECORDED[name]
    found = Curves(
        valid=[ValidPoint(iteration=iteration, loss=loss) for iteration, loss in run["valid"]],
        train=[
            TrainPoint(iteration=iteration, loss=loss, learning_rate=run["rate"], tokens_per_second=1, memory_gb=1)
            for iteration, loss in run["train"]
        ],
    )
    verdict = judge(found)
    assert verdict.name == run["verdict"]
    if verdict.name == "diverged":
        assert f"--set learning_rate={run['rate'] / 5:.2g}" in verdict.change


def test_forgetting_is_named_when_it_is_large():
    good = curves([3.0, 2.0, 1.6, 1.5, 1.499], [2.5, 1.9, 1.6, 1.5])
    for forgetting in (None, Forgetting(before=2.5), Forgetting(before=2.5, after=2.55)):
        assert judge(good, forgetting) == judge(good)
    verdict = judge(good, Forgetting(before=2.5, after=3.0))
    assert verdict.name == "good"
    assert "loss on general text from 2.500 to 3.000 (+0.500, +20.0%)" in verdict.text
    assert "lower learning rate" in verdict.change


def test_a_model_that_forgot_how_to_write_is_not_good():
    perfect = curves([0.693, 0.1, 0.0, 0.0], [0.5, 0.1, 0.0])
    verdict = judge(perfect, Forgetting(before=2.918, after=5.233))
    assert verdict.name == "diverged"
    assert "forgotten how to write" in verdict.text
    assert verdict.change == "take a fifth of the learning rate: --set learning_rate=2e-06, and train for fewer epochs"
