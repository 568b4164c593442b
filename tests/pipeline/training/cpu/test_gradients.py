import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from mlx_lm.models import llama, qwen2, qwen3
from mlx_lm.tuner.trainer import default_loss

from pipeline.training.cpu import fit, gradients, packing
from pipeline.training.data import TokenRow, make_batch
from pipeline.training.preference import answers, value
from tests.pipeline.training.architectures import ROWS, assert_gradients_are_of, flat
from tests.pipeline.training.cpu.models import EVERY, MODELS, make_model


def assert_same_as_mlx_lm(model, batch, written):
    model.eval()
    graph = nn.value_and_grad(model, default_loss)
    (expected, _), gradients = graph(model, mx.array(batch.tokens), mx.array(batch.spans))
    assert value(answers, written.row_logps(batch)) == pytest.approx(expected.item(), rel=1e-5)
    loss, found = written(batch, 0)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    found, gradients = flat(found), flat(gradients)
    assert found.keys() == gradients.keys()
    for name, gradient in gradients.items():
        np.testing.assert_allclose(found[name], gradient, atol=1e-5, rtol=1e-3, err_msg=name)


@pytest.mark.parametrize("longest", [64, 25])
@pytest.mark.parametrize("name", MODELS)
def test_loss_and_gradients_are_mlx_lms(name, longest):
    module, more = MODELS[name]
    model = make_model(more, module=module)
    assert fit.is_fit(model)
    for is_packed in (True, False):
        written = gradients.WrittenOut(model, is_packed=is_packed)
        assert_same_as_mlx_lm(model, make_batch(ROWS, longest), written)


@pytest.mark.parametrize(("layers", "keys"), [(1, EVERY), (2, ("self_attn.v_proj",)), (3, ("mlp.down_proj",))])
def test_gradients_of_some_layers_and_some_keys(layers, keys):
    model = make_model(layers=layers, keys=keys)
    assert_same_as_mlx_lm(model, make_batch(ROWS, 64), gradients.WrittenOut(model))


PERSONA = list(range(40, 58))
SHARED = [TokenRow([*PERSONA, *row.tokens], len(PERSONA) + row.start) for row in ROWS[::2]]


@pytest.mark.parametrize("is_checkpointed", [True, False])
def test_weights_before_the_first_trained_layer_are_not_kept_for_the_way_back(is_checkpointed):
    model = make_model(layers=1)
    written = gradients.WrittenOut(model, is_packed=True, is_checkpointed=is_checkpointed)
    ways = [[part._frozen._backward is not None for part in layer._all] for layer in written._layers]
    # Of the first trained layer itself nobody asks for the gradient of what its queries, keys and values read.
    assert ways == [[False] * 4] * (len(ways) - 1) + [[False, True, True, True]]
    assert_same_as_mlx_lm(model, make_batch(ROWS, 64), written)


def test_what_all_rows_begin_with_is_computed_once():
    model = make_model()
    batch = make_batch(SHARED, 64)
    packed = packing.Packed(batch)
    rests = [len(row.tokens) - 1 - len(PERSONA) for row in SHARED]
    assert len(packed.tokens) == len(PERSONA) + sum(rests)
    assert packed.targets.tolist() == [token for row in SHARED for token in row.tokens[row.start :]]
    assert_same_as_mlx_lm(model, batch, gradients.WrittenOut(model))


def test_what_is_learnt_from_is_never_shared():
    same = TokenRow(list(range(1, 20)), 6)
    model = make_model()
    batch = make_batch([same, TokenRow([*same.tokens, 7], 6)], 64)
    assert len(packing.Packed(batch).tokens) == 5 + (18 - 5) + (19 - 5)
    assert_same_as_mlx_lm(model, batch, gradients.WrittenOut(model))


@pytest.mark.parametrize("module", [llama, qwen2, qwen3])
def test_layers_that_are_computed_twice_drop_the_same_inputs(module):
    model = make_model(module=module, dropout=0.3)
    model.train()
    batch = make_batch(ROWS, 64)
    once, twice = gradients.WrittenOut(model), gradients.WrittenOut(model, is_checkpointed=True)
    (loss, found), (again, others) = once(batch, 7), twice(batch, 7)
    assert loss.item() == again.item()
    for name, gradient in flat(found).items():
        np.testing.assert_array_equal(gradient, flat(others)[name])
    assert once(batch, 8)[0].item() != loss.item()


@pytest.mark.parametrize("module", [llama, qwen2, qwen3])
def test_gradients_with_dropout_are_those_of_the_loss(module):
    model = make_model(module=module, dropout=0.3)
    model.train()
    batch, written = make_batch(ROWS, 64), gradients.WrittenOut(model)
    assert_gradients_are_of(lambda: written(batch, 7)[0], written(batch, 7)[1], model)
