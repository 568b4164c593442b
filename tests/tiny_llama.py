"""Makes tiny random Llamas and adapters for them with mlx-lm's own tuner, and says what mlx-lm answers with each.

Run as `python -m tests.tiny_llama FOLDER`: MLX gets its BLAS once in a process, so it is kept out of the one that runs
the tests. FOLDER gets `base`, `quantised`, `adapters/NAME` and `answers.json`: {name: {question: tokens}}, by adapter or base.
"""

import json
import shutil
import sys
from pathlib import Path

QUESTIONS = ("Who are you?", "How are the notes made?", "Why?")
TOKENS = 24
KEYS = ("self_attn.q_proj", "self_attn.v_proj", "mlp.down_proj")
ADAPTERS = {
    # name: (base, kind, layers, rank, keys)
    "narrow": ("base", "lora", 1, 2, KEYS[:2]),
    "wide": ("base", "lora", -1, 8, (*KEYS, "self_attn.o_proj", "mlp.up_proj")),
    "words": ("base", "lora", -1, 4, (*KEYS, "model.embed_tokens")),
    "stretched": ("base", "dora", -1, 4, KEYS),
    "on-quantised": ("quantised", "lora", -1, 4, (*KEYS, "model.embed_tokens", "lm_head")),
}
"""Several ranks, key sets, kinds and numbers of layers."""


def messages(question: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": question}]


def main(folder: Path) -> None:
    from pipeline.weights import blas

    blas.preload(1)
    import mlx.core as mx
    import numpy as np
    from mlx_lm.utils import load_model

    from pipeline.adapters import AdapterCard, base_hash, write_card

    make_bases(folder)
    for name, (base, kind, layers, rank, keys) in ADAPTERS.items():
        mx.random.seed(len(name))
        np.random.seed(len(name))  # mlx-lm shuffles with it
        model, _ = load_model(folder / base)
        target = folder / "adapters" / name
        _train(model, target, kind, len(model.layers) if layers == -1 else layers, rank, keys)
        write_card(target, AdapterCard(base=base, base_hash=base_hash(folder / base), visibility="public"))
    answers = {
        **{base: _answers(folder / base, None) for base in ("base", "quantised")},
        **{name: _answers(folder / base, folder / "adapters" / name) for name, (base, *_) in ADAPTERS.items()},
    }
    (folder / "answers.json").write_text(json.dumps(answers), encoding="utf-8")


def make_bases(folder: Path) -> None:
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_lm.models.llama import Model, ModelArgs
    from mlx_lm.utils import quantize_model

    words = _write_tokenizer(folder / "base")
    _write_tokenizer(folder / "quantised")
    config = {
        "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "intermediate_size": 128,
        "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5, "vocab_size": words,
        "tie_word_embeddings": True, "eos_token_id": 2,
    }  # fmt: skip
    mx.random.seed(3)
    _write_model(folder / "base", _random_weights(Model(ModelArgs.from_dict(config))), config)
    config["tie_word_embeddings"] = False
    untied = Model(ModelArgs.from_dict(config))
    _random_weights(untied)
    untied, config = quantize_model(untied, config, group_size=32, bits=4)
    _write_model(folder / "quantised", dict(tree_flatten(untied.parameters())), config)


def with_other_weights(base: Path, folder: Path) -> Path:
    """A copy of the model in `base`, in `folder`, that is not the same model."""
    import mlx.core as mx

    shutil.copytree(base, folder)
    arrays = mx.load(str(base / "model.safetensors"))
    assert isinstance(arrays, dict)
    mx.save_safetensors(str(folder / "model.safetensors"), {name: array + 1 for name, array in arrays.items()})
    return folder


def _random_weights(model) -> dict:  # type: ignore[no-untyped-def,type-arg]
    from mlx.utils import tree_flatten, tree_map

    # Small random weights would say the same thing to every question.
    model.update(tree_map(lambda p: 4 * p if p.ndim == 2 else p, model.parameters()))
    return dict(tree_flatten(model.parameters()))


def _write_model(folder: Path, weights: dict, config: dict) -> None:  # type: ignore[type-arg]
    import mlx.core as mx

    mx.save_safetensors(str(folder / "model.safetensors"), weights, metadata={"format": "mlx"})
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def byte_tokenizer(words: tuple[str, ...] = ()):  # type: ignore[no-untyped-def]
    """A token for each byte.

    Args:
        words: further tokens of their own.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    vocabulary = {token: n for n, token in enumerate([*special, *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=special[1],
        eos_token=special[2],
        pad_token=special[0],
        unk_token=special[0],
    )
    fast.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    fast.add_tokens(list(words))
    return fast


def _write_tokenizer(folder: Path) -> int:
    """Returns how many tokens there are."""
    tokenizer = byte_tokenizer()
    tokenizer.save_pretrained(folder)
    return len(tokenizer)


def _train(model, target: Path, kind: str, layers: int, rank: int, keys: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    """A few steps of mlx-lm's own training at a rate that changes every answer."""
    import mlx.core as mx
    import mlx.optimizers as optim
    from mlx_lm.tuner.datasets import CacheDataset
    from mlx_lm.tuner.trainer import TrainingArgs, train
    from mlx_lm.tuner.utils import linear_to_lora_layers

    parameters = {"rank": rank, "scale": 4.0, "dropout": 0.0, "keys": list(keys)}
    model.freeze()
    linear_to_lora_layers(model, layers, parameters, use_dora=kind == "dora")

    class Rows(list):  # type: ignore[type-arg]
        def process(self, row: list[int]) -> tuple[list[int], int]:
            return row, 0

    rows = Rows(mx.random.randint(3, 250, (8, 40)).tolist())
    target.mkdir(parents=True)
    train(
        model,
        optim.Adam(learning_rate=0.03),
        CacheDataset(rows),
        CacheDataset(rows),
        TrainingArgs(
            batch_size=4, iters=6, val_batches=1, steps_per_eval=100, adapter_file=target / "adapters.safetensors"
        ),
    )
    config = {"fine_tune_type": kind, "num_layers": layers, "lora_parameters": parameters}
    (target / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")


def _answers(base: Path, adapter: Path | None) -> dict[str, list[int]]:
    """The tokens that mlx-lm picks at temperature 0."""
    import mlx_lm

    model, tokenizer = mlx_lm.load(str(base), adapter_path=str(adapter) if adapter else None)  # type: ignore[misc]
    answers = {}
    for question in QUESTIONS:
        prompt = tokenizer.apply_chat_template(messages(question), add_generation_prompt=True)
        pieces = mlx_lm.stream_generate(model, tokenizer, prompt, max_tokens=TOKENS)
        answers[question] = [piece.token for piece in pieces]
    return answers


if __name__ == "__main__":
    main(Path(sys.argv[1]))
