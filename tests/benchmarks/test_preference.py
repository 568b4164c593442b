import numpy as np
import pytest

from benchmarks.preference import _name_in_mlx, difference

GRADIENTS = {"a": np.array([3.0, 0.0]), "b": np.array([4.0])}


def test_the_difference_is_relative_to_theirs():
    ours = {"a": np.array([3.0, 0.5]), "b": np.array([4.0])}
    assert difference((1.0, ours), (1.0, GRADIENTS)) == pytest.approx(0.5 / 5)
    assert difference((1.5, GRADIENTS), (1.0, GRADIENTS)) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="other matrices"):
        difference((1.0, {"a": ours["a"]}), (1.0, GRADIENTS))


def test_a_matrix_has_one_name():
    name = "base_model.model.model.layers.0.mlp.up_proj.lora_A.default.weight"
    assert _name_in_mlx(name) == "model.layers.0.mlp.up_proj.lora_a"
