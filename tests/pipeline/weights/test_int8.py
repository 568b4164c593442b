import numpy as np
import pytest

from pipeline.weights import blas

blas.preload(1)

from pipeline.weights.int8 import BLOCK, Int8Product, rounded  # noqa: E402

RANDOM = np.random.default_rng(1)
WEIGHT = RANDOM.standard_normal((48, 96), np.float32)
X = RANDOM.standard_normal((9, 96), np.float32)


def test_a_weight_is_rounded_to_the_nearest_step_of_its_block() -> None:
    numbers, scales = rounded(WEIGHT)
    assert numbers.shape == (48, 96 // BLOCK, BLOCK)
    again = ((numbers.astype(np.float32) - 128) * scales[..., None]).reshape(WEIGHT.shape)
    assert (np.abs(again - WEIGHT) <= np.repeat(scales, BLOCK, axis=1) * 0.5001).all()


def test_the_largest_weight_of_a_block_stays_and_a_block_of_zeros_too() -> None:
    weight = np.zeros((1, 2 * BLOCK), np.float32)
    weight[0, :3] = 1, -2.54, 0.004
    numbers, scales = rounded(weight)
    assert numbers[0, 0, :4].tolist() == [178, 1, 128, 128]
    assert scales[0].tolist() == [np.float32(2.54) / np.float32(127), 0]
    assert (numbers[0, 1] == 128).all()


@pytest.mark.parametrize("rows", [1, 2, 9])
def test_a_product_is_near_that_of_floats(rows: int) -> None:
    exact = X[:rows] @ WEIGHT.T
    error = Int8Product(*rounded(WEIGHT))(X[:rows]) - exact
    assert 0 < np.abs(error).mean() < 0.01 * np.abs(exact).mean()


def test_a_row_gives_the_same_to_the_last_digit_in_any_company() -> None:
    product = Int8Product(*rounded(WEIGHT))
    together = product(X)
    for row in range(len(X)):
        assert (product(X[row : row + 1])[0] == together[row]).all()


def test_the_numbers_are_packed_so_that_nobody_needs_to_keep_them() -> None:
    numbers, scales = rounded(WEIGHT)
    product = Int8Product(numbers, scales)
    before = product(X)
    numbers[:] = 0
    assert (product(X) == before).all()


def test_the_weight_can_be_had_back() -> None:
    numbers, scales = rounded(WEIGHT)
    again = ((numbers.astype(np.float32) - 128) * scales[..., None]).reshape(WEIGHT.shape)
    np.testing.assert_allclose(Int8Product(numbers, scales).weight(), again, atol=1e-5)
