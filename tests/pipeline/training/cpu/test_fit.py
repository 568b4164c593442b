import mlx.core as mx
import mlx.nn as nn
from mlx_lm.models import qwen3

from pipeline.training.cpu import fit
from tests.pipeline.training.cpu.llamas import SIZES, make_model


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
        assert not fit.is_fit(model)
