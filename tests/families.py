"""Tiny models of families whose chat templates differ. The templates are those of the models' own pages.

`python -m tests.families FOLDER [NAME ...]` makes a random model of each: MLX gets its BLAS once in a process, so it is
kept out of the one that runs the tests. The tokenizers have a token for each byte and can be made in any process.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).with_name("templates")
CHATML = ("<|im_start|>", "<|im_end|>")
GEMMA = ("<start_of_turn>", "<end_of_turn>")
MISTRAL = (
    "[INST]",
    "[/INST]",
    "[TOOL_CALLS]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
)


@dataclass(frozen=True)
class Family:
    special: tuple[str, ...]
    bos: str
    eos: str
    words: tuple[str, ...] = ()
    """Tokens of their own that the tokenizer does not call special."""
    adds_bos: bool = False
    model: str = "llama"
    template: str | None = ""
    """Name of the template's file, the family's own by default; None: there is no template."""


FAMILIES = {
    "llama3": Family(
        ("<|start_header_id|>", "<|end_header_id|>"), bos="<|begin_of_text|>", eos="<|eot_id|>", adds_bos=True
    ),
    "qwen2": Family(CHATML, bos="<|endoftext|>", eos="<|im_end|>"),
    "qwen3": Family(
        CHATML,
        bos="<|endoftext|>",
        eos="<|im_end|>",
        words=("<think>", "</think>", "<tool_call>", "</tool_call>"),
        model="qwen3",
    ),
    "gemma2": Family(GEMMA, bos="<bos>", eos="<end_of_turn>", words=("\n\n", "<table>"), adds_bos=True),
    "gemma3": Family(GEMMA, bos="<bos>", eos="<end_of_turn>", words=("\n\n", "<table>"), adds_bos=True),
    "mistral": Family((), bos="<s>", eos="</s>", adds_bos=True),
    "mistral3": Family(MISTRAL, bos="<s>", eos="</s>", adds_bos=True),
    "r1": Family(
        (),
        bos="<｜begin▁of▁sentence｜>",
        eos="<｜end▁of▁sentence｜>",
        words=("<｜User｜>", "<｜Assistant｜>", "<think>", "</think>"),
        adds_bos=True,
        model="qwen3",
    ),
    "smollm2": Family(CHATML, bos="<|im_start|>", eos="<|im_end|>"),
    "plain": Family((), bos="<s>", eos="</s>", adds_bos=True, template=None),
}


def tokenizer(name: str) -> Any:
    """That of a family, as transformers has it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    family = FAMILIES[name]
    own = dict.fromkeys(("<unk>", family.bos, family.eos, *family.special, *family.words))
    vocabulary = {token: n for n, token in enumerate([*own, *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    backend = Tokenizer(models.BPE(vocabulary, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_tokens(list(family.words))
    if family.adds_bos:
        first = [(family.bos, vocabulary[family.bos])]
        backend.post_processor = processors.TemplateProcessing(single=f"{family.bos} $A", special_tokens=first)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=family.bos,
        eos_token=family.eos,
        pad_token="<unk>",
        unk_token="<unk>",
        additional_special_tokens=list(family.special),
    )
    if family.template is not None:
        fast.chat_template = (TEMPLATES / f"{family.template or name}.jinja").read_text(encoding="utf-8")
    return fast


def make_model(folder: Path, name: str) -> None:
    """A random model of the family with its tokenizer. MLX must have its BLAS before."""
    import mlx.core as mx
    from mlx.utils import tree_flatten, tree_map
    from mlx_lm.models import llama, qwen3

    fast = tokenizer(name)
    fast.save_pretrained(folder)
    kind = FAMILIES[name].model
    modules: dict[str, Any] = {"llama": llama, "qwen3": qwen3}
    config = {
        "model_type": kind, "architectures": [f"{kind.capitalize()}ForCausalLM"], "hidden_size": 64, "head_dim": 16,
        "num_hidden_layers": 2, "intermediate_size": 128, "num_attention_heads": 4, "num_key_value_heads": 2,
        "rms_norm_eps": 1e-5, "vocab_size": len(fast), "tie_word_embeddings": True, "eos_token_id": fast.eos_token_id,
        "max_position_embeddings": 4096, "rope_theta": 10000.0,
    }  # fmt: skip
    mx.random.seed(3)
    model = modules[kind].Model(modules[kind].ModelArgs.from_dict(config))
    # Small random weights would say the same thing to every question.
    model.update(tree_map(lambda p: 4 * p if p.ndim == 2 else p, model.parameters()))
    weights = dict(tree_flatten(model.parameters()))
    mx.save_safetensors(str(folder / "model.safetensors"), weights, metadata={"format": "mlx"})
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


if __name__ == "__main__":
    from pipeline.weights import blas

    blas.preload(1)
    for wanted in sys.argv[2:] or FAMILIES:
        make_model(Path(sys.argv[1]) / wanted, wanted)
