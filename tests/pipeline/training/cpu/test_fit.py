import mlx.core as mx
import mlx.nn as nn
from mlx_lm.models import gemma2

from pipeline.training.cpu import fit
from tests.pipeline.training.cpu.models import make_model


def test_what_it_does_not_know_goes_by_the_graph():
    quantised = make_model({"hidden_size": 64, "head_dim": 16}, layers=1)
    nn.quantize(
        quantised, group_size=32, bits=4, class_predicate=lambda path, part: path.endswith("layers.0.mlp.up_proj")
    )
    traditional = make_model({"rope_traditional": True})
    half = make_model()
    half.set_dtype(mx.bfloat16)
    other = make_model(module=gemma2)
    sliding = make_model(
        {"layer_types": ["full_attention", "sliding_attention", "full_attention"], "sliding_window": 8}
    )
    full = make_model(layers=1)
    full.layers[0].unfreeze()
    for model in (quantised, traditional, half, other, sliding, full, make_model(use_dora=True)):
        assert not fit.is_fit(model)
