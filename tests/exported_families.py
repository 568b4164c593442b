"""Tiny random models of every family that has a GGUF, with tokenizers that cut and merge as the family's do.

`python -m tests.exported_families FOLDER [NAME ...]` makes them, each with a LoRA beside it in FOLDER/adapters.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tests.families import FAMILIES, TEMPLATES

BYTE_LEVEL = {"llama3": "llama-bpe", "qwen2": "qwen2", "qwen3": "qwen2", "r1": "qwen2", "smollm2": "smollm"}
"""How each cuts a text before it merges; the others are SentencePiece's kind."""
LIKE = {
    "model_type": "", "hidden_size": 64, "num_hidden_layers": 6, "intermediate_size": 128, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "rms_norm_eps": 1e-6, "max_position_embeddings": 4096, "rope_theta": 1e4,
    "tie_word_embeddings": True,
}  # fmt: skip
LLAMA3_ROPE = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}  # fmt: skip
CONFIGS: dict[str, dict[str, Any]] = {
    "llama3": {"model_type": "llama", "rope_theta": 5e5, "rope_scaling": LLAMA3_ROPE, "tie_word_embeddings": False,
               "max_position_embeddings": 16384},
    "mistral": {"model_type": "mistral", "tie_word_embeddings": False},
    "mistral3": {"model_type": "mistral", "tie_word_embeddings": False, "rope_theta": 1e6},
    "qwen2": {"model_type": "qwen2", "rope_theta": 1e6},
    "r1": {"model_type": "qwen2", "tie_word_embeddings": False},
    "qwen3": {"model_type": "qwen3", "head_dim": 32, "rope_theta": 1e6},
    "gemma2": {
        # llama.cpp knows Gemma 2 of 26, 42 and 46 layers only.
        "model_type": "gemma2", "num_hidden_layers": 26, "head_dim": 32, "query_pre_attn_scalar": 32, "sliding_window": 4096,
        "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0,
    },
    "gemma3": {
        "model_type": "gemma3_text", "head_dim": 32, "query_pre_attn_scalar": 32, "sliding_window": 512,
        "sliding_window_pattern": 6, "rope_theta": 1e6, "rope_local_base_freq": 1e4,
    },
}  # fmt: skip
CLASSES = {
    "llama": "LlamaForCausalLM", "mistral": "MistralForCausalLM", "qwen2": "Qwen2ForCausalLM",
    "qwen3": "Qwen3ForCausalLM", "gemma2": "Gemma2ForCausalLM", "gemma3_text": "Gemma3ForCausalLM",
}  # fmt: skip
TEXTS = (
    "Who are you, and how are the notes made? The notes of 2026 are in the shed, the others aren't.",
    "Was heißt das? Über den Wörtern stehen Punkte.\n\n```sh\nsitetwin up --x=1\n```\n",
)
MERGED = 300
"""Tokens that merges make, at most."""


def tokenizer(name: str) -> Any:
    """That of a family, as transformers has it."""
    from transformers import PreTrainedTokenizerFast

    family = FAMILIES[name]
    fast = PreTrainedTokenizerFast(
        tokenizer_object=_byte_level(name) if name in BYTE_LEVEL else _sentence_piece(name),
        bos_token=family.bos,
        eos_token=family.eos,
        pad_token="<unk>",
        unk_token="<unk>",
        additional_special_tokens=list(family.special),
    )
    fast.chat_template = (TEMPLATES / f"{name}.jinja").read_text(encoding="utf-8")
    return fast


def _byte_level(name: str) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    from pipeline.weights.gguf.pretokenizers import pre_tokenizer

    family = FAMILIES[name]
    backend = Tokenizer(models.BPE(ignore_merges=name == "llama3"))
    backend.pre_tokenizer = pre_tokenizer(BYTE_LEVEL[name])
    backend.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = list(dict.fromkeys(("<unk>", family.bos, family.eos, *family.special)))
    size = len(alphabet) + len(special) + MERGED
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=alphabet, special_tokens=special, show_progress=False
    )
    backend.train_from_iterator(TEXTS, trainer)
    backend.add_tokens(list(family.words))
    return _begun(backend, family)


def _sentence_piece(name: str) -> Any:
    """Pieces of words in their order of merging, with each way to put one together, as SentencePiece has it."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, trainers

    family = FAMILIES[name]
    words = Tokenizer(models.BPE())
    normaliser = [normalizers.Replace(" ", "▁")]
    if name.startswith("mistral"):
        normaliser.insert(0, normalizers.Prepend("▁"))
    words.normalizer = normalizers.Sequence(normaliser)
    trainer = trainers.BpeTrainer(vocab_size=MERGED, show_progress=False, max_token_length=6)
    words.train_from_iterator([word for text in TEXTS for word in text.replace("\n", " ").split(" ")], trainer)
    learnt = sorted(words.get_vocab(), key=words.token_to_id)
    own = list(dict.fromkeys(("<unk>", family.bos, family.eos, *family.special)))
    defined = ["\n\n", "▁▁"] if family.words else []
    vocabulary = dict.fromkeys([*own, *defined, *(f"<0x{n:02X}>" for n in range(256)), "▁", *learnt])
    numbered = {text: n for n, text in enumerate(vocabulary)}
    pieces = {"▁", *learnt}
    # A user's own token of spaces can be merged as well, before all others: so Gemma has it.
    merges = [("▁", "▁")] * bool(defined) + [
        (text[:cut], text[cut:])
        for text in learnt
        for cut in range(1, len(text))
        if text[:cut] in pieces and text[cut:] in pieces
    ]
    backend = Tokenizer(models.BPE(numbered, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    backend.normalizer = words.normalizer
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    backend.decoder = decoders.Sequence([*parts, *([decoders.Strip(" ", 1, 0)] if name.startswith("mistral") else [])])
    backend.add_tokens([AddedToken(text, normalized=False) for text in defined])
    return _begun(backend, family)


def _begun(backend: Any, family: Any) -> Any:
    from tokenizers import processors

    backend.add_special_tokens(list(dict.fromkeys((family.bos, family.eos, *family.special))))
    if family.adds_bos:
        first = [(family.bos, backend.token_to_id(family.bos))]
        backend.post_processor = processors.TemplateProcessing(single=f"{family.bos} $A", special_tokens=first)
    return backend


def make_model(folder: Path, name: str) -> None:
    """A random model of the family. MLX must have its BLAS before."""
    import importlib

    import mlx.core as mx
    from mlx.utils import tree_flatten, tree_map_with_path

    fast = tokenizer(name)
    fast.save_pretrained(folder)
    config = LIKE | CONFIGS[name] | {"vocab_size": len(fast), "eos_token_id": fast.eos_token_id}
    config |= {"architectures": [CLASSES[config["model_type"]]], "bos_token_id": fast.bos_token_id}
    if config["model_type"] == "qwen2":
        config["head_dim"] = config["hidden_size"] // config["num_attention_heads"]
    kind = "llama" if config["model_type"] == "mistral" else config["model_type"]
    module = importlib.import_module(f"mlx_lm.models.{kind}")
    mx.random.seed(3)
    model = module.Model(module.ModelArgs.from_dict(config | {"model_type": kind}))

    def spread(path: str, array: mx.array) -> mx.array:
        """Small random weights would say the same thing to every question, and norms and biases of 1 and 0 nothing.

        Through many layers, large ones would make other answers of what is rounded.
        """
        scale = 4 if config["num_hidden_layers"] == LIKE["num_hidden_layers"] else 1
        return scale * array if array.ndim == 2 else array + 0.3 * mx.random.normal(array.shape)

    model.update(tree_map_with_path(spread, model.parameters()))
    if name == "gemma3":
        # Gemma's large, tied embeddings make a random model repeat the last token of the prompt, which is a line break.
        words = model.model.embed_tokens
        texts = [fast.decode([id_]).strip() for id_ in range(len(fast))]
        unseen = [id_ for id_, text in enumerate(texts) if not (text and text.isascii() and text.isprintable())]
        words.weight[mx.array(unseen)] *= 0.01
    weights = dict(tree_flatten(model.parameters()))
    if config["tie_word_embeddings"]:
        weights.pop("lm_head.weight", None)
    mx.save_safetensors(str(folder / "model.safetensors"), weights, metadata={"format": "mlx"})
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def main(folder: Path, names: list[str]) -> None:
    from pipeline.weights import blas

    blas.preload(1)
    from tests.pipeline.training.exporting.models import make_small_adapter

    for name in names or list(CONFIGS):
        make_model(folder / name, name)
        make_small_adapter(folder / name, folder / "adapters" / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
