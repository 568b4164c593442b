import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from mlx.utils import tree_flatten
from mlx_lm.models import llama
from mlx_lm.tuner.trainer import default_loss

from pipeline.training.data import make_batch
from pipeline.training.loss import answer_loss, prepare, whole_loss
from tests.pipeline.training.architectures import MODELS, ROWS, SIZES, make_model


@pytest.mark.parametrize("longest", [64, 25])
@pytest.mark.parametrize("name", MODELS)
def test_loss_and_gradients_are_mlx_lms(name, longest):
    model = make_model(name)
    batch = make_batch(ROWS, longest)
    tokens, spans = mx.array(batch.tokens), mx.array(batch.spans)
    (theirs, count), their_gradients = nn.value_and_grad(model, default_loss)(model, tokens, spans)
    expected = dict(tree_flatten(their_gradients))
    mx.eval(theirs, expected)
    assert prepare(model, make_batch(ROWS[:1], longest)) is answer_loss
    for most in (batch.learnt, batch.learnt + 5):
        (ours, learnt), our_gradients = nn.value_and_grad(model, answer_loss)(model, tokens, spans, most)
        assert learnt.item() == count.item() == batch.learnt
        assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
        found = dict(tree_flatten(our_gradients))
        assert found.keys() == expected.keys()
        for path, gradient in expected.items():
            np.testing.assert_allclose(np.array(found[path]), np.array(gradient), atol=1e-5, rtol=1e-3, err_msg=path)


class Headless(nn.Module):
    """Its head looks at neighbouring tokens, so picked states mislead it."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.model = inner.model
        self.layers = inner.layers

    def __call__(self, inputs: mx.array) -> mx.array:
        hidden = self.model(inputs)
        return self.model.embed_tokens.as_linear(hidden + mx.cumsum(hidden, axis=1))


def test_a_model_that_is_built_otherwise_gets_mlx_lms_loss():
    mx.random.seed(1)
    inner = llama.Model(llama.ModelArgs.from_dict({"model_type": "llama", **SIZES}))
    model, batch = Headless(inner), make_batch(ROWS[:1], 64)
    before = model(mx.array(batch.tokens))
    loss = prepare(model, batch)
    assert loss is whole_loss
    assert mx.array_equal(model(mx.array(batch.tokens)), before)
    arguments = model, mx.array(batch.tokens), mx.array(batch.spans)
    assert loss(*arguments, batch.learnt)[0].item() == default_loss(*arguments)[0].item()
