import mlx.core as mx
from mlx.utils import tree_map
from mlx_lm.models import llama
from mlx_lm.tuner.utils import linear_to_lora_layers

from tests.pipeline.training.architectures import SIZES as COMMON

SIZES = {**COMMON, "model_type": "llama", "num_hidden_layers": 3}
SCALED = {"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 16}
MODELS = {
    "tied": {},
    "own head": {"tie_word_embeddings": False},
    "one key for all heads": {"num_key_value_heads": 1},
    "a key for each head": {"num_key_value_heads": 4},
    "scaled places": {"rope_scaling": SCALED, "max_position_embeddings": 128},
}
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
