import numpy as np
import pytest

from pipeline.training.cpu.products import Frozen, gemm


@pytest.mark.parametrize("tokens", [0, 1, 40])
@pytest.mark.parametrize("is_packed", [True, False])
def test_products_with_weights_that_stay(is_packed, tokens):
    random = np.random.default_rng(0)
    weights = [random.standard_normal((rows, 24), np.float32) for rows in (16, 8, 8)]
    biases = [random.standard_normal(16, np.float32), None, random.standard_normal(8, np.float32)]
    frozen = Frozen(weights, biases, is_packed=is_packed)
    x = random.standard_normal((tokens, 24), np.float32)
    ys = [x @ weight.T + (0 if bias is None else bias) for weight, bias in zip(weights, biases, strict=True)]
    for found, y in zip(frozen.forward(x), ys, strict=True):
        np.testing.assert_allclose(found, y, atol=1e-5)
    dx = sum(y @ weight for y, weight in zip(ys, weights, strict=True))
    np.testing.assert_allclose(frozen.backward(ys), dx, atol=1e-4)


def test_a_product_of_parts_that_are_turned_and_added():
    random = np.random.default_rng(0)
    a, b = random.standard_normal((2, 30, 20), np.float32)
    out = np.ones((6, 7), np.float32)
    gemm(a[:, 3:9], b[:, 2:9], ta=True, alpha=2, beta=3, out=out)
    np.testing.assert_allclose(out, 2 * a[:, 3:9].T @ b[:, 2:9] + 3, rtol=1e-4)
    np.testing.assert_allclose(gemm(a[:4], b, tb=True), a[:4] @ b.T, rtol=1e-3, atol=1e-5)
