import math

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.models import llama
from mlx_lm.tuner.trainer import default_loss

from pipeline.training import graph
from pipeline.training.cpu.gradients import WrittenOut
from pipeline.training.data import TokenPreference, TokenRow, make_batch
from pipeline.training.loss import prepare
from pipeline.training.preference import RowLogps, answers, dpo, orpo, preference_loss, preferred, value
from tests.pipeline.training import architectures
from tests.pipeline.training.architectures import flat
from tests.pipeline.training.cpu import models

PROMPT = list(range(10, 22))
PREFERENCES = [
    TokenPreference(
        TokenRow([*PROMPT, *range(30, 39)], len(PROMPT), reference=-38.0),
        TokenRow([*PROMPT, 7, 8, 9], len(PROMPT), reference=-15.0),
    ),
    TokenPreference(TokenRow([1, 2, 3, 4], 2, reference=-9.0), TokenRow([1, 2, *range(50, 70)], 2, reference=-88.0)),
]
BATCH = make_batch(PREFERENCES, 64)
OBJECTIVES = {"dpo": dpo(0.3), "orpo": orpo(0.3)}


def log_sigmoid(x: float) -> float:
    return -math.log1p(math.exp(-x))


def test_a_batch_holds_both_answers_side_by_side():
    assert BATCH.lengths.tolist() == [9, 3, 2, 20]
    assert BATCH.reference.tolist() == [-38, -15, -9, -88]
    assert BATCH.tokens[0, :21].tolist() == PREFERENCES[0].chosen.tokens


def test_dpo_is_the_papers_formula():
    rows = RowLogps.of(np.array([-30, -14, -9.5, -80], np.float32), BATCH)
    margins = [(-30 + 38) - (-14 + 15), (-9.5 + 9) - (-80 + 88)]
    expected = -sum(log_sigmoid(0.3 * margin) for margin in margins) / 2
    assert value(dpo(0.3), rows) == pytest.approx(expected, rel=1e-6)
    same = RowLogps.of(BATCH.reference, BATCH)
    assert value(dpo(0.3), same) == pytest.approx(math.log(2))


def test_orpo_is_the_papers_formula():
    rows = RowLogps.of(np.array([-30, -14, -9.5, -80], np.float32), BATCH)
    p = [math.exp(logp / length) for logp, length in zip((-30, -14, -9.5, -80), (9, 3, 2, 20), strict=True)]
    odds = [one / (1 - one) for one in p]
    ratios = [math.log(odds[0] / odds[1]), math.log(odds[2] / odds[3])]
    expected = (30 + 9.5) / (9 + 2) - 0.3 * sum(map(log_sigmoid, ratios)) / 2
    assert value(orpo(0.3), rows) == pytest.approx(expected, rel=1e-6)


def test_an_answer_that_is_certain_has_a_finite_loss():
    rows = RowLogps.of(np.array([0, -14, -9.5, -80], np.float32), BATCH)
    assert math.isfinite(value(orpo(0.3), rows))


@pytest.mark.parametrize(("method", "share"), [("sft", None), ("dpo", 0.5), ("orpo", 1.0)])
def test_what_counts_as_preferred(method, share):
    from pipeline.training.config import configuration

    # The first gained 8 nats against 1, the second 2 against 8. Token by token both are likelier than the other answer.
    rows = RowLogps.of(np.array([-30, -14, -7, -80], np.float32), BATCH)
    assert preferred(configuration("best", {"method": method}), rows) == share


def test_rounding_is_no_preference():
    from pipeline.training.config import configuration

    rows = RowLogps.of(BATCH.reference + np.array([1e-5, 0, 0, -1e-5], np.float32), BATCH)
    assert preferred(configuration("best", {"method": "dpo"}), rows) == 0


@pytest.mark.parametrize("name", architectures.MODELS)
def test_a_rows_log_probability_is_mlx_lms_loss_of_its_tokens(name):
    model = architectures.make_model(name)
    model.eval()
    losses = [
        default_loss(model, mx.array(BATCH.tokens[n : n + 1]), mx.array(BATCH.spans[n : n + 1])) for n in range(4)
    ]
    expected = [-(loss * count).item() for loss, count in losses]
    run = graph.ByGraph(model, preference_loss(dpo(0.1)))
    np.testing.assert_allclose(run.row_logps(BATCH).logps, expected, rtol=1e-4)
    # The same when the trunk passes on the learnt places only.
    prepare(model, make_batch([PREFERENCES[0].chosen], 64))
    np.testing.assert_allclose(run.row_logps(BATCH).logps, expected, rtol=1e-4)


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)
@pytest.mark.parametrize("name", models.MODELS)
def test_written_out_it_is_mlxs_gradient(name, objective):
    module, more = models.MODELS[name]
    model = models.make_model(more, module=module)
    model.eval()
    found = WrittenOut(model, objective)(BATCH, 0)
    expected = graph.ByGraph(model, preference_loss(objective))(BATCH, 0)
    assert found[0].item() == pytest.approx(expected[0].item(), rel=1e-5)
    gradients = flat(expected[1])
    assert flat(found[1]).keys() == gradients.keys()
    for path, gradient in gradients.items():
        np.testing.assert_allclose(flat(found[1])[path], gradient, atol=1e-5, rtol=2e-3, err_msg=path)


def test_the_mean_of_answers_is_mlx_lms_loss():
    model = models.make_model(module=llama)
    loss, _ = default_loss(model, mx.array(BATCH.tokens), mx.array(BATCH.spans))
    assert value(answers, WrittenOut(model).row_logps(BATCH)) == pytest.approx(loss.item(), rel=1e-5)
