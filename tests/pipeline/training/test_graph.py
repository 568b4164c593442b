import shutil

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_map
from mlx_lm.tuner.trainer import default_loss

from pipeline.training import graph
from pipeline.training.data import TokenRow, make_batch
from pipeline.training.loss import Loss, prepare, whole_loss
from pipeline.training.setup import OPTIMIZERS
from tests.pipeline.training.architectures import MODELS, ROWS, assert_gradients_are_of, flat, make_model

BATCH = make_batch(ROWS, 64)
COMPILED = [
    pytest.mark.skipif(shutil.which("g++") is None, reason="on a CPU MLX compiles by g++"),
    pytest.mark.slow,  # half a second for each new kernel
]


@pytest.fixture(params=[False, pytest.param(True, marks=COMPILED)], ids=["each step anew", "compiled"])
def way(request, monkeypatch) -> bool:
    """Whether a step is compiled; a processor otherwise says so itself."""
    monkeypatch.setattr(graph, "is_compiled", lambda: request.param)
    return request.param


def by_graph(model: nn.Module, loss: Loss | None = None, *, is_checkpointed: bool = False) -> graph.ByGraph:
    return graph.ByGraph(model, loss or prepare(model, make_batch(ROWS[:1], 64)), is_checkpointed=is_checkpointed)


def assert_close(found, expected):
    found, expected = flat(found), flat(expected)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-5, rtol=1e-3, err_msg=name)


@pytest.mark.parametrize("name", MODELS)
def test_loss_and_gradients_are_mlx_lms(way, name):
    model = make_model(name)
    spans = mx.array(BATCH.spans)
    (expected, _), gradients = nn.value_and_grad(model, default_loss)(model, mx.array(BATCH.tokens), spans)
    mx.eval(expected, gradients)
    run = by_graph(model)
    for _ in range(2):
        loss, found = run(BATCH, 0)
        assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
        assert_close(found, gradients)


def test_a_batch_of_about_the_same_size_is_not_traced_anew(monkeypatch):
    monkeypatch.setattr(graph, "is_compiled", lambda: True)
    traced = []

    def loss(model, tokens, spans, most, reference):
        traced.append((tokens.shape, most))
        return whole_loss(model, tokens, spans, most)

    run = by_graph(make_model(), loss)
    for lengths, start in (((40, 36), 20), ((50, 64), 32), ((60, 65), 33), ((66, 60), 30)):
        run(make_batch([TokenRow([1] * length, start) for length in lengths], 128), 0)
    assert traced == [((2, 65), 48), ((2, 65), 64), ((2, 97), 72)]


@pytest.mark.parametrize("is_checkpointed", [False, True], ids=["kept", "computed twice"])
def test_gradients_with_dropout_are_those_of_the_loss(way, is_checkpointed):
    model = make_model(dropout=0.3)
    run = by_graph(model, is_checkpointed=is_checkpointed)
    loss, gradients = run(BATCH, 7)
    assert run(BATCH, 7)[0].item() == loss.item() != run(BATCH, 8)[0].item()
    assert_gradients_are_of(lambda: run(BATCH, 7)[0], gradients, model)


def test_layers_that_are_computed_twice_keep_less(way):
    peaks = []
    for is_checkpointed in (False, True):
        model = make_model(dropout=0.3, layers=12)
        run = by_graph(model, is_checkpointed=is_checkpointed)
        mx.eval(model.parameters())
        held = mx.get_active_memory()
        mx.reset_peak_memory()
        mx.eval(run(make_batch(ROWS * 4, 64), 0))
        peaks.append(mx.get_peak_memory() - held)
    assert peaks[1] < 0.3 * peaks[0]


def test_dropout_leaves_as_much_as_it_takes():
    dropout = make_model(dropout=0.3).layers[0].self_attn.q_proj.dropout
    dropout.__class__ = graph._Dropout
    dropout.hold(mx.random.key(3))
    left = dropout(mx.ones((200, 500)))
    assert (left == 0).mean().item() == pytest.approx(0.3, abs=0.01)
    assert left.mean().item() == pytest.approx(1, abs=0.01)
    dropout.eval()
    assert mx.array_equal(dropout(left), left)


@pytest.mark.parametrize("name", [pytest.param(name, marks=COMPILED) for name in OPTIMIZERS])
def test_compiled_updates_are_mlxs(name, monkeypatch):
    ends = []
    for is_compiled in (False, True):
        monkeypatch.setattr(graph, "is_compiled", lambda is_compiled=is_compiled: is_compiled)
        model, optimizer = make_model(), OPTIMIZERS[name](learning_rate=optim.linear_schedule(1e-2, 1e-3, 3))
        optimizer.init(model.trainable_parameters())
        update = graph.updates(model, optimizer)
        for number in range(3):
            update(tree_map(lambda p, n=number: mx.sin(p * (n + 1)), model.trainable_parameters()))
        ends.append({"model": model.trainable_parameters(), "optimiser": optimizer.state})
    assert_close(*ends)
