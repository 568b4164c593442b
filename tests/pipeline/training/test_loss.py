import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from mlx.utils import tree_flatten
from mlx_lm.models import gemma2, gemma3_text, llama, qwen3
from mlx_lm.tuner.trainer import default_loss
from mlx_lm.tuner.utils import linear_to_lora_layers

from pipeline.training.data import TokenRow, make_batch
from pipeline.training.loss import answer_loss, prepare

SIZES = {
    "hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64, "num_attention_heads": 4, "head_dim": 8,
    "num_key_value_heads": 2, "rms_norm_eps": 1e-5, "vocab_size": 90,
}  # fmt: skip
MODELS = {
    "llama": (llama, {"tie_word_embeddings": True}),
    "llama with a head": (llama, {"tie_word_embeddings": False}),
    "qwen3": (qwen3, {"tie_word_embeddings": True, "max_position_embeddings": 64, "rope_theta": 1e4}),
    "gemma2, which caps its logits": (gemma2, {}),
    "gemma3": (gemma3_text, {"query_pre_attn_scalar": 8, "sliding_window": 16, "sliding_window_pattern": 2}),
}
ROWS = [TokenRow(list(range(1, 30)), 12), TokenRow(list(range(20, 60)), 0), TokenRow(list(range(5, 25)), 19)]


@pytest.fixture(params=MODELS)
def model(request):
    module, more = MODELS[request.param]
    mx.random.seed(1)
    model = module.Model(module.ModelArgs.from_dict({"model_type": module.__name__.split(".")[-1], **SIZES, **more}))
    model.freeze()
    linear_to_lora_layers(model, -1, {"rank": 4, "scale": 2.0, "dropout": 0.0})
    # A fresh adapter's second matrix is 0, and with it most gradients.
    model.update(nn.utils.tree_map(lambda p: p + 0.05 * mx.random.normal(p.shape), model.trainable_parameters()))
    return model


@pytest.mark.parametrize("longest", [64, 25])
def test_loss_and_gradients_are_mlx_lms(model, longest):
    batch = make_batch(ROWS, longest)
    tokens, spans = mx.array(batch.tokens), mx.array(batch.spans)
    (theirs, count), their_gradients = nn.value_and_grad(model, default_loss)(model, tokens, spans)
    expected = dict(tree_flatten(their_gradients))
    mx.eval(theirs, expected)
    assert prepare(model, make_batch(ROWS[:1], longest)) is answer_loss
    (ours, learnt), our_gradients = nn.value_and_grad(model, answer_loss)(model, tokens, spans)
    assert learnt.item() == count.item() == batch.learnt
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    found = dict(tree_flatten(our_gradients))
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        np.testing.assert_allclose(np.array(found[name]), np.array(gradient), atol=1e-5, rtol=1e-3, err_msg=name)


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
    assert prepare(model, batch) is default_loss
    assert mx.array_equal(model(mx.array(batch.tokens)), before)
