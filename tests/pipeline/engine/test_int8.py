"""Tiny models in 8 bits beside the same models in floats."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.weights import blas

blas.preload(1)

import mlx.core as mx  # noqa: E402
import mlx.nn as nn  # noqa: E402
import numpy as np  # noqa: E402
from mlx_lm.models import gemma2, gemma3_text, llama, qwen2, qwen3  # noqa: E402
from mlx_lm.models.cache import make_prompt_cache  # noqa: E402
from mlx_lm.utils import load_model  # noqa: E402
from safetensors.numpy import load_file, save_file  # noqa: E402

from benchmarks.engine import make_adapter  # noqa: E402
from pipeline.adapters import CONFIG, WEIGHTS, find_adapter_in  # noqa: E402
from pipeline.engine.int8 import Int8Embedding, Int8Linear, can_hold, hold, layer_shape, layer_weight  # noqa: E402
from pipeline.engine.lora import Overlay  # noqa: E402
from pipeline.engine.overlaid import OverlaidModel  # noqa: E402
from pipeline.engine.reading import load_overlay, stamp_of  # noqa: E402
from tests.tiny_llama import make_bases  # noqa: E402

SHAPE: dict[str, Any] = {
    "hidden_size": 64, "num_hidden_layers": 2, "intermediate_size": 128, "num_attention_heads": 4,
    "num_key_value_heads": 2, "rms_norm_eps": 1e-5, "vocab_size": 96, "tie_word_embeddings": True,
    "head_dim": 16, "max_position_embeddings": 512, "rope_theta": 10000.0,
}  # fmt: skip
TOKENS = [3, 17, 80, 5, 41]


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    make_bases(folder)
    return folder


def random_model(kind: Any, **changed: Any) -> nn.Module:
    mx.random.seed(1)
    shape = {"model_type": kind.__name__.rpartition(".")[2], **SHAPE, **changed}
    model: nn.Module = kind.Model(kind.ModelArgs.from_dict(shape))
    mx.eval(model.parameters())
    return model


def logits(model: Any, steps: int = 3, overlay: Overlay | None = None) -> np.ndarray:
    """The logits of the last positions: (steps, words)."""
    cache = model.make_cache_for(overlay) if isinstance(model, OverlaidModel) else make_prompt_cache(model)
    model(mx.array([TOKENS]), cache=cache)
    return np.stack([np.array(model(mx.array([[7 + step]]), cache=cache)[0, -1]) for step in range(steps)])


@pytest.mark.parametrize("dtype", [mx.float32, mx.bfloat16])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("kind", [llama, qwen2, qwen3])
def test_the_logits_are_near_those_of_floats(kind: Any, tied: bool, dtype: mx.Dtype) -> None:
    model, held = (random_model(kind, tie_word_embeddings=tied) for _ in range(2))
    held.set_dtype(dtype)
    assert can_hold(held)
    hold(held)
    expected, found = logits(model), logits(held)
    assert found.dtype == np.float32
    assert np.corrcoef(expected.ravel(), found.ravel())[0, 1] > 0.999
    assert not (expected == found).all()


@pytest.mark.parametrize(("kind", "changed"), [(gemma2, {"query_pre_attn_scalar": 16}), (gemma3_text, {})])
def test_so_are_those_of_gemma_whose_output_is_always_its_embedding(kind: Any, changed: dict[str, Any]) -> None:
    model, held = (random_model(kind, sliding_window=32, sliding_window_pattern=2, **changed) for _ in range(2))
    assert can_hold(held)
    hold(held)
    assert np.corrcoef(logits(model).ravel(), logits(held).ravel())[0, 1] > 0.999


def test_a_model_in_mlx_4_bits_is_near_itself(bases: Path) -> None:
    (model, _), (held, _) = (load_model(bases / "quantised") for _ in range(2))
    hold(held)
    assert np.corrcoef(logits(model).ravel(), logits(held).ravel())[0, 1] > 0.99


def test_only_the_last_position_of_a_prompt_gets_logits() -> None:
    model = random_model(llama)
    hold(model)
    whole: Any = model
    assert whole(mx.array([TOKENS])).shape == (1, 1, SHAPE["vocab_size"])


def test_each_layer_is_held_with_its_shape_and_weight() -> None:
    model, held = (random_model(qwen2, tie_word_embeddings=False) for _ in range(2))
    hold(held)
    before, after = dict(model.named_modules()), dict(held.named_modules())
    paths = [path for path, layer in before.items() if isinstance(layer, (nn.Linear, nn.Embedding))]
    assert len(paths) == 2 * 7 + 2
    for path in paths:
        assert isinstance(after[path], (Int8Linear, Int8Embedding))
        assert layer_shape(after[path]) == layer_shape(before[path]) == before[path].weight.shape
    path = "model.layers.1.mlp.down_proj"
    np.testing.assert_allclose(np.array(layer_weight(after[path])), np.array(before[path].weight), atol=2e-3)


@pytest.mark.parametrize("changed", [{"model_type": "mamba"}, {"intermediate_size": 100}])
def test_other_kinds_and_widths_stay_as_they_are(changed: dict[str, Any]) -> None:
    assert not can_hold(random_model(llama, **changed))


@pytest.mark.parametrize("kind", ["lora", "dora"])
def test_an_adapter_lies_over_it(bases: Path, tmp_path: Path, kind: str) -> None:
    make_adapter(tmp_path / "a", bases / "base", 1)
    (model, _), (held, _) = (load_model(bases / "base") for _ in range(2))
    file, config = tmp_path / "a" / WEIGHTS, tmp_path / "a" / CONFIG
    text = config.read_text("utf-8").replace('"lora"', f'"{kind}"').replace('"scale": 2.0', '"scale": 20.0')
    config.write_text(text, encoding="utf-8")
    if kind == "dora":
        layers = dict(model.named_modules())
        arrays = load_file(file)
        paths = {name.rpartition(".")[0] for name in arrays}
        arrays |= {f"{path}.m": 1.2 * np.linalg.norm(np.array(layers[path].weight), axis=1) for path in paths}
        save_file(arrays, file)
    hold(held)
    found = {}
    for name, base in (("exact", model), ("held", held)):
        plain = logits(OverlaidModel(base))
        overlaid = OverlaidModel(base)
        adapter = find_adapter_in(tmp_path, "a")
        overlay = load_overlay(adapter, stamp_of(adapter.folder), overlaid.base_layers())
        overlaid.prepare(overlay.layers.keys())
        found[name] = logits(overlaid, overlay=overlay)
        assert np.corrcoef(plain.ravel(), found[name].ravel())[0, 1] < 0.98
        assert (logits(overlaid) == plain).all()
    assert np.corrcoef(found["exact"].ravel(), found["held"].ravel())[0, 1] > 0.99
