import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
from mlx.utils import tree_flatten, tree_map

from pipeline.training.cpu import adam


def test_adam_is_mlxs():
    mx.random.seed(2)
    start = {"a": mx.random.normal((16, 4)), "b": [mx.random.normal((3,))]}
    states = []
    for kind in (optim.Adam, adam.Adam):
        optimizer, parameters = kind(learning_rate=optim.linear_schedule(1e-2, 1e-3, 5)), start
        for number in range(5):
            gradients = tree_map(lambda p, n=number: mx.sin(p * (n + 1)), start)
            parameters = optimizer.apply_gradients(gradients, parameters)
        arrays = tree_flatten({"parameters": parameters, "state": optimizer.state})
        states.append({name: np.array(value) for name, value in arrays})
    assert states[0].keys() == states[1].keys()
    for name, value in states[0].items():
        np.testing.assert_allclose(states[1][name], value, rtol=1e-5, atol=1e-7, err_msg=name)
