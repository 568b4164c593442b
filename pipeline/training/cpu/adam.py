"""MLX's Adam on a Linux CPU."""

from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np

from pipeline.training.cpu import kernels
from pipeline.training.cpu.products import numbers


class Adam(optim.Adam):
    """MLX's Adam with the same updates. On a few hundred small arrays, the calls of MLX's dozen operations cost most."""

    def apply_gradients(self, gradients: Any, parameters: Any) -> Any:
        """The parameters after one update. The gradients are computed first, all in one evaluation."""
        mx.eval(gradients)
        return super().apply_gradients(gradients, parameters)

    def apply_single(self, gradient: mx.array, parameter: mx.array, state: Any) -> mx.array:
        """One parameter after the update. The moments in `state` are changed in place."""
        if self.bias_correction or parameter.dtype != mx.float32:
            return super().apply_single(gradient, parameter, state)  # type: ignore[no-any-return]
        (b1, b2), rate = self.betas, self.learning_rate.item()
        # The moments are changed in place, because nothing else holds them. A parameter may be among the best weights.
        moments = [_changeable(state, name) for name in ("m", "v")]
        new = np.empty(parameter.shape, np.float32)
        flat: Any = [array.reshape(-1) for array in (numbers(parameter), numbers(gradient), *moments, new)]
        kernels.adam(*flat, *map(np.float32, (b1, 1 - b1, b2, 1 - b2, self.eps, rate)))
        return mx.array(new)


def _changeable(state: Any, name: str) -> np.ndarray:
    """The memory of the array `state[name]`, to be written to."""
    array = np.array(state[name], copy=False)
    if not array.flags.c_contiguous:  # MLX holds zeros that were never written as one broadcast zero
        state[name] = mx.array(array.copy())
        array = np.array(state[name], copy=False)
    return array
