"""Steps of one token that are written out, beside the same steps in MLX."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pipeline.weights import blas

blas.preload(1)

import mlx.core as mx  # noqa: E402
import numpy as np  # noqa: E402
from mlx_lm.models import llama, qwen2, qwen3  # noqa: E402

from pipeline.engine.int8 import hold  # noqa: E402
from pipeline.engine.int8_blocks import Int8Block  # noqa: E402
from pipeline.engine.lora import Dora, Lora, Overlay  # noqa: E402
from pipeline.engine.overlaid import OverlaidModel  # noqa: E402
from pipeline.weights.int8 import Int8Product  # noqa: E402
from tests.pipeline.engine.test_int8 import SHAPE, random_model  # noqa: E402

PROMPTS = ([3, 17, 80, 5, 41], [9, 30])
LLAMA3 = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}  # fmt: skip
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}
LAYERS = ("self_attn.q_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.down_proj")


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Products of the rounded weights that do not round their input, for that makes a step of a last digit."""
    weights: dict[Int8Product, np.ndarray] = {}
    product = Int8Product.__call__

    def multiply(self: Int8Product, x: np.ndarray) -> np.ndarray:
        if self not in weights:
            weights[self] = product(self, np.eye(self.shape[1], dtype=np.float32))
        return x @ weights[self]

    monkeypatch.setattr(Int8Product, "__call__", multiply)


@contextmanager
def in_mlx() -> Iterator[None]:
    """Computes all steps by mlx-lm's blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Int8Block, "__call__", lambda self, x, mask=None, cache=None: self._whole(self, x, mask, cache))
        yield


def overlay(kind: type[Lora], model: OverlaidModel) -> Overlay:
    """A random adapter for some layers."""
    layers, random = model.base_layers(), np.random.default_rng(1)
    paths = [f"model.layers.{number}.{name}" for number in range(SHAPE["num_hidden_layers"]) for name in LAYERS]

    def lora(path: str) -> Lora:
        out, width = layers[path].shape
        a, b = (mx.array(random.normal(0, 0.3, shape).astype(np.float32)) for shape in ((width, 4), (4, out)))
        return Dora(a, b, 2.0, mx.full((out,), 1.2)) if kind is Dora else Lora(a.astype(mx.bfloat16), b, 2.0)

    adapter = Overlay(kind.__name__, (0, 0, 0, 0), {path: lora(path) for path in paths})
    model.prepare(paths)
    return adapter


def chats(model: OverlaidModel, overlays: list[Overlay | None]) -> list[Any]:
    """The caches of two chats of different length, after their prompts."""
    each = []
    for prompt, adapter in zip(PROMPTS, overlays, strict=True):
        cache = model.make_cache_for(adapter)
        model(mx.array([prompt]), cache=cache)
        each.append(cache)
    return [type(parts[0]).merge(list(parts)) for parts in zip(*each, strict=True)]


def steps(model: OverlaidModel, cache: list[Any], count: int = 3) -> np.ndarray:
    """The logits of each step: (count, rows, words)."""
    rows = len(cache[-1].overlays)
    asked = [[[(7 + step + row) % SHAPE["vocab_size"]] for row in range(rows)] for step in range(count)]
    return np.stack([np.array(model(mx.array(tokens), cache=cache)[:, -1]) for tokens in asked])


@pytest.mark.parametrize("kind", [None, Lora, Dora])
@pytest.mark.parametrize(
    ("family", "changed"),
    [
        (llama, {}), (llama, {"rope_scaling": LLAMA3}), (llama, {"attention_bias": True, "mlp_bias": True}),
        (qwen2, {"rope_scaling": YARN}), (qwen3, {"tie_word_embeddings": False}),
    ],
)  # fmt: skip
def test_a_step_gives_the_logits_of_mlx(family: Any, changed: dict[str, Any], kind: type[Lora] | None) -> None:
    base = random_model(family, **changed)
    hold(base)
    assert all(isinstance(block, Int8Block) for block in base.layers)
    model = OverlaidModel(base)
    adapters = [None, overlay(kind, model) if kind else None]
    for overlays in (adapters, [adapters[1], adapters[1]]):
        found = steps(model, chats(model, overlays))
        with in_mlx():
            expected = steps(model, chats(model, overlays))
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_chats_grow_leave_and_are_kept() -> None:
    base = random_model(llama)
    hold(base)
    model = OverlaidModel(base)
    logits = {}
    for where in ("numpy", "mlx"):
        cache = chats(model, [None, None])
        kept = [layer.extract(0) for layer in cache]
        with in_mlx() if where == "mlx" else pytest.MonkeyPatch.context():
            whole = steps(model, cache, 300)
            for layer in cache:
                layer.filter([1])
            alone = steps(model, cache, 5)
        again = steps(model, [type(layer).merge([layer]) for layer in kept], 3)
        logits[where] = np.concatenate([whole.ravel(), alone.ravel(), again.ravel()])
    np.testing.assert_allclose(logits["numpy"], logits["mlx"], atol=1e-4)


def test_other_rotations_are_left_to_mlx() -> None:
    base = random_model(llama, rope_traditional=True)
    hold(base)
    assert not any(isinstance(block, Int8Block) for block in base.layers)
