import mlx.core as mx
from mlx.utils import tree_map
from mlx_lm.models import llama, qwen2, qwen3
from mlx_lm.tuner.utils import linear_to_lora_layers

from tests.pipeline.training.architectures import SIZES as COMMON

SIZES = {
    **COMMON,
    "num_hidden_layers": 3,
    "max_position_embeddings": 128,
    "rope_theta": 1e4,
    "tie_word_embeddings": True,
}
SCALED = {"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 16}
OWN_HEAD = {"tie_word_embeddings": False}
MODELS = {
    "llama": (llama, {}),
    "llama, own head": (llama, OWN_HEAD),
    "llama, one key for all heads": (llama, {"num_key_value_heads": 1}),
    "llama, a key for each head": (llama, {"num_key_value_heads": 4}),
    "llama, scaled places": (llama, {"rope_scaling": SCALED}),
    "llama, biases": (llama, {"attention_bias": True, "mlp_bias": True}),
    "qwen2": (qwen2, {}),
    "qwen2, own head": (qwen2, OWN_HEAD),
    "qwen3": (qwen3, {}),
    "qwen3, own head, wider heads": (qwen3, {**OWN_HEAD, "head_dim": 12}),
}
EVERY = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
         "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")  # fmt: skip


def make_model(more=None, *, module=llama, layers=3, keys=EVERY, dropout=0.0, use_dora=False):
    mx.random.seed(1)
    kind = module.__name__.rpartition(".")[2]
    model = module.Model(module.ModelArgs.from_dict({**SIZES, "model_type": kind, **(more or {})}))
    # Fresh norms are 1 and fresh biases nearly 0: a forgotten one would not be noticed.
    model.update(tree_map(lambda p: p + 0.2 * mx.random.normal(p.shape) if p.ndim == 1 else p, model.parameters()))
    model.freeze()
    parameters = {"rank": 4, "scale": 2.0, "dropout": dropout, "keys": list(keys)}
    linear_to_lora_layers(model, layers, parameters, use_dora=use_dora)
    # A fresh adapter's second matrix is 0, and with it most gradients.
    model.update(tree_map(lambda p: p + 0.05 * mx.random.normal(p.shape), model.trainable_parameters()))
    mx.eval(model.parameters())
    return model
