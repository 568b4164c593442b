import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten, tree_map
from mlx_lm.models import llama, qwen3
from mlx_lm.tuner.trainer import default_loss
from mlx_lm.tuner.utils import linear_to_lora_layers

from pipeline.training import cpu
from pipeline.training.data import TokenRow, make_batch

pytestmark = pytest.mark.skipif(not cpu.is_here(), reason="for a Linux CPU")

SIZES = {
    "model_type": "llama", "hidden_size": 32, "num_hidden_layers": 3, "intermediate_size": 64, "num_attention_heads": 4,
    "head_dim": 8, "num_key_value_heads": 2, "rms_norm_eps": 1e-5, "vocab_size": 90,
}  # fmt: skip
SCALED = {"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 16}
MODELS = {
    "tied": {},
    "own head": {"tie_word_embeddings": False},
    "one key for all heads": {"num_key_value_heads": 1},
    "a key for each head": {"num_key_value_heads": 4},
    "scaled places": {"rope_scaling": SCALED, "max_position_embeddings": 128},
}
ROWS = [TokenRow(list(range(1, 30)), 12), TokenRow(list(range(20, 60)), 0), TokenRow(list(range(5, 25)), 19)]
EVERY = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
         "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")  # fmt: skip


def make_model(more=None, *, layers=3, keys=EVERY, dropout=0.0, use_dora=False):
    mx.random.seed(1)
    model = llama.Model(llama.ModelArgs.from_dict({**SIZES, **(more or {})}))
    model.freeze()
    parameters = {"rank": 4, "scale": 2.0, "dropout": dropout, "keys": list(keys)}
    linear_to_lora_layers(model, layers, parameters, use_dora=use_dora)
    # A fresh adapter's second matrix is 0, and with it most gradients.
    model.update(tree_map(lambda p: p + 0.05 * mx.random.normal(p.shape), model.trainable_parameters()))
    mx.eval(model.parameters())
    return model


def flat(tree) -> dict[str, np.ndarray]:
    return {name: np.array(value) for name, value in tree_flatten(tree)}


def assert_same_as_mlx_lm(model, batch, written):
    model.eval()
    graph = nn.value_and_grad(model, default_loss)
    (expected, _), gradients = graph(model, mx.array(batch.tokens), mx.array(batch.spans))
    loss, found = written(batch, 0)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    found, gradients = flat(found), flat(gradients)
    assert found.keys() == gradients.keys()
    for name, gradient in gradients.items():
        np.testing.assert_allclose(found[name], gradient, atol=1e-5, rtol=1e-3, err_msg=name)


@pytest.mark.parametrize("longest", [64, 25])
@pytest.mark.parametrize("more", MODELS.values(), ids=MODELS)
def test_loss_and_gradients_are_mlx_lms(more, longest):
    model = make_model(more)
    assert cpu.is_fit(model)
    assert_same_as_mlx_lm(model, make_batch(ROWS, longest), cpu.WrittenOut(model))


@pytest.mark.parametrize(("layers", "keys"), [(1, EVERY), (2, ("self_attn.v_proj",)), (3, ("mlp.down_proj",))])
def test_gradients_of_some_layers_and_some_keys(layers, keys):
    model = make_model(layers=layers, keys=keys)
    assert_same_as_mlx_lm(model, make_batch(ROWS, 64), cpu.WrittenOut(model))


PERSONA = list(range(40, 58))
SHARED = [TokenRow([*PERSONA, *row.tokens], len(PERSONA) + row.start) for row in ROWS[::2]]


def test_what_all_rows_begin_with_is_computed_once():
    model = make_model()
    batch = make_batch(SHARED, 64)
    packed = cpu.Packed(batch)
    rests = [len(row.tokens) - 1 - len(PERSONA) for row in SHARED]
    assert len(packed.tokens) == len(PERSONA) + sum(rests)
    assert packed.targets.tolist() == [token for row in SHARED for token in row.tokens[row.start :]]
    assert_same_as_mlx_lm(model, batch, cpu.WrittenOut(model))


def test_what_is_learnt_from_is_never_shared():
    same = TokenRow(list(range(1, 20)), 6)
    model = make_model()
    batch = make_batch([same, TokenRow([*same.tokens, 7], 6)], 64)
    assert len(cpu.Packed(batch).tokens) == 5 + (18 - 5) + (19 - 5)
    assert_same_as_mlx_lm(model, batch, cpu.WrittenOut(model))


def test_layers_that_are_computed_twice_drop_the_same_inputs():
    model = make_model(dropout=0.3)
    model.train()
    batch = make_batch(ROWS, 64)
    once, twice = cpu.WrittenOut(model), cpu.WrittenOut(model, is_checkpointed=True)
    (loss, gradients), (again, others) = once(batch, 7), twice(batch, 7)
    assert loss.item() == again.item()
    for name, gradient in flat(gradients).items():
        np.testing.assert_array_equal(gradient, flat(others)[name])
    assert once(batch, 8)[0].item() != loss.item()


def test_gradients_with_dropout_are_those_of_the_loss():
    """Along a random direction d the loss changes by gradient · d."""
    model = make_model(dropout=0.3)
    model.train()
    batch, written, step = make_batch(ROWS, 64), cpu.WrittenOut(model), 2e-3
    _, gradients = written(batch, 7)
    start = model.trainable_parameters()
    direction = tree_map(lambda p: mx.random.normal(p.shape), start)
    losses = []
    for sign in (1, -1):
        model.update(tree_map(lambda p, d, sign=sign: p + sign * step * d, start, direction))
        losses.append(written(batch, 7)[0].item())
    slope = sum((gradient * flat(direction)[name]).sum() for name, gradient in flat(gradients).items())
    assert (losses[0] - losses[1]) / (2 * step) == pytest.approx(slope, rel=2e-2)


def test_a_dropped_input_is_dropped_as_often_as_asked():
    part = cpu._Projections({"q": make_model(dropout=0.05).layers[0].self_attn.q_proj})
    dropped = part._drawn(200 * 576, 0.05, seed=3)
    assert len(np.unique(dropped)) == len(dropped)
    assert 0 <= dropped.min() < dropped.max() < 200 * 576
    assert len(dropped) / (200 * 576) == pytest.approx(0.05, abs=0.003)
    halves = np.histogram(dropped, 2, (0, 200 * 576))[0]
    assert halves[0] == pytest.approx(halves[1], rel=0.1)


def test_what_it_does_not_know_goes_by_the_graph():
    quantised = make_model({"hidden_size": 64, "head_dim": 16}, layers=1)
    nn.quantize(
        quantised, group_size=32, bits=4, class_predicate=lambda path, part: path.endswith("layers.0.mlp.up_proj")
    )
    traditional = make_model({"rope_traditional": True})
    biased = make_model({"attention_bias": True})
    half = make_model()
    half.set_dtype(mx.bfloat16)
    other = qwen3.Model(qwen3.ModelArgs.from_dict(
        {**SIZES, "model_type": "qwen3", "tie_word_embeddings": True, "max_position_embeddings": 64, "rope_theta": 1e4}
    ))  # fmt: skip
    full = make_model(layers=1)
    full.layers[0].unfreeze()
    for model in (quantised, traditional, biased, half, other, full, make_model(use_dora=True)):
        assert not cpu.is_fit(model)


def test_adam_is_mlxs():
    mx.random.seed(2)
    start = {"a": mx.random.normal((16, 4)), "b": [mx.random.normal((3,))]}
    states = []
    for kind in (optim.Adam, cpu.Adam):
        optimizer, parameters = kind(learning_rate=optim.linear_schedule(1e-2, 1e-3, 5)), start
        for number in range(5):
            gradients = tree_map(lambda p, n=number: mx.sin(p * (n + 1)), start)
            parameters = optimizer.apply_gradients(gradients, parameters)
        states.append(flat({"parameters": parameters, "state": optimizer.state}))
    assert states[0].keys() == states[1].keys()
    for name, value in states[0].items():
        np.testing.assert_allclose(states[1][name], value, rtol=1e-5, atol=1e-7, err_msg=name)
