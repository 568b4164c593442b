"""Every kind of adapter on the kinds of models that people have: trained here, then answering in mlx-lm and in the engine."""

import json
from pathlib import Path

import mlx.core as mx
import mlx_lm
import pytest
from mlx.utils import tree_flatten, tree_map
from mlx_lm.generate import BatchGenerator
from mlx_lm.models import gemma3, llama, qwen3
from mlx_lm.utils import quantize_model

from pipeline.adapters import base_hash, find_adapter
from pipeline.engine.overlaid import OverlaidModel
from pipeline.engine.overlays import Overlays
from pipeline.errors import ModelError
from pipeline.training.run import start
from tests.tiny_llama import _write_model, _write_tokenizer, messages

SIZES = {
    "hidden_size": 64, "num_hidden_layers": 2, "intermediate_size": 128, "num_attention_heads": 4, "head_dim": 16,
    "num_key_value_heads": 2, "rms_norm_eps": 1e-5,
}  # fmt: skip
GEMMA = {
    "model_type": "gemma3_text",
    **SIZES,
    "query_pre_attn_scalar": 16,
    "sliding_window": 16,
    "sliding_window_pattern": 2,
}
MODELS = {
    "llama": (llama, {**SIZES, "tie_word_embeddings": False}),
    "qwen3": (qwen3, {**SIZES, "tie_word_embeddings": True, "max_position_embeddings": 512, "rope_theta": 1e4}),
    # As on the hub: the sizes of the language model within, and the words beside it.
    "gemma3": (gemma3, {"text_config": GEMMA}),
}
QUESTIONS = ("Who are you, and what do you do all day long?", "Why?")
TOKENS = 16


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """A random model of each architecture, and as `NAME-4bit` the same quantised."""
    folder = tmp_path_factory.mktemp("kinds")
    for name, (module, more) in MODELS.items():
        config = {"model_type": name, "vocab_size": _write_tokenizer(folder / name), "eos_token_id": 2, **more}
        _write_tokenizer(folder / f"{name}-4bit")
        mx.random.seed(3)
        model = module.Model(module.ModelArgs.from_dict(json.loads(json.dumps(config))))
        if name == "gemma3":
            model.language_model.tie_word_embeddings = True
            model.language_model.pop("lm_head")
        # Small random weights would say the same thing to every question.
        model.update(tree_map(lambda p: 4 * p if p.ndim == 2 else p, model.parameters()))
        _write_model(folder / name, dict(tree_flatten(model.parameters())), config)
        model, config = quantize_model(model, config, group_size=32, bits=4)
        _write_model(folder / f"{name}-4bit", dict(tree_flatten(model.parameters())), config)
    return folder


class Quiet:
    def say(self, text):
        """Nobody listens."""

    start = point = say

    def step(self, iteration, loss):
        """Nobody listens."""


def answers(model, prompts: list[list[int]], caches=None) -> list[list[int]]:
    """The tokens with the highest logits, all prompts in one batch."""
    generator = BatchGenerator(model, stream=mx.default_stream(mx.default_device()))
    numbers = generator.insert(prompts, [TOKENS] * len(prompts), caches)
    found: dict[int, list[int]] = {number: [] for number in numbers}
    open_rows = len(numbers)
    while open_rows:
        for response in generator.next()[1]:
            found[response.uid].append(response.token)
            open_rows -= response.finish_reason is not None
    return list(found.values())


@pytest.mark.parametrize(
    ("name", "kind"),
    [("llama", "lora"), ("qwen3", "lora"), ("gemma3", "lora"), ("gemma3-4bit", "lora"), ("gemma3-4bit", "dora")],
)
def test_an_adapter_answers_in_the_engine_as_in_mlx_lm(site, small, models, name, kind):
    site.models.chat = str(models / name)
    run = start(site, Quiet(), values={**small, "iters": 6, "fine_tune_type": kind})
    assert run.curves.valid[-1].loss < run.curves.valid[0].loss
    folder = find_adapter(site, run.name).folder
    base, tokenizer = mlx_lm.load(site.models.chat)
    adapted, _ = mlx_lm.load(site.models.chat, adapter_path=str(folder))
    prompts = [tokenizer.apply_chat_template(messages(text), add_generation_prompt=True) for text in QUESTIONS]
    before, expected = answers(base, prompts), answers(adapted, prompts)
    assert before != expected
    model = OverlaidModel(base)
    overlay = Overlays(folder.parent, model, site.models.chat, "it").get(run.name)
    caches = [model.make_cache_for(row) for row in (overlay, overlay, None, None)]
    assert answers(model, [*prompts, *prompts], caches) == [*expected, *before]


def test_a_full_fine_tune_is_refused_with_the_way_out(site, small, models):
    site.models.chat = str(models / "llama")
    run = start(site, Quiet(), values={**small, "iters": 2, "fine_tune_type": "full", "learning_rate": 1e-4})
    assert find_adapter(site, run.name).base_hash == base_hash(models / "llama")
    base, _ = mlx_lm.load(site.models.chat)
    with pytest.raises(ModelError, match="fine_tune_type is 'full', a model of its own"):
        Overlays(site.state / "adapters", OverlaidModel(base), site.models.chat, "it").get(run.name)
