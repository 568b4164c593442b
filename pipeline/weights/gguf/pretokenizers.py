"""Pre-tokenizers of byte-level BPE: llama.cpp's names, and the objects of `tokenizers` for them."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers.pre_tokenizers import PreTokenizer

_LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_TEKKEN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PATTERNS = {"llama-bpe": _LLAMA3, "qwen2": _QWEN2, "tekken": _TEKKEN}
"""From the tokenizer.json of Llama 3, Qwen 2 and Mistral Nemo; llama.cpp cites the same."""
ALIASES = {
    "llama3": "llama-bpe", "llama-v3": "llama-bpe", "smaug-bpe": "llama-bpe", "falcon3": "llama-bpe",
    "deepseek-r1-qwen": "qwen2", "gpt2": "gpt-2",
}  # fmt: skip
"""llama.cpp's other names for the same pre-tokenizers."""
WHOLE_TOKENS = ("llama-bpe", "tekken")
"""Pre-tokenizers of models in which a word that is a token is never merged from pieces."""
BEGINS = ("llama-bpe", "tekken")
"""Pre-tokenizers of models that put the first token before a text, unless the GGUF says otherwise."""
KNOWN = ("gpt-2", "smollm", *PATTERNS)


def canonical(name: str) -> str:
    """The name in `KNOWN` for llama.cpp's `tokenizer.ggml.pre`; an unknown `name` is returned unchanged."""
    return ALIASES.get(name, name)


def pre_tokenizer(name: str) -> "PreTokenizer":
    """The pre-tokenizer with the `name` of `KNOWN`."""
    from tokenizers import Regex, pre_tokenizers

    if name in PATTERNS:
        split = pre_tokenizers.Split(Regex(PATTERNS[name]), "isolated", invert=False)
        return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    words = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if name == "smollm":
        return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), words])
    return words


def name_of(tokenizer: Mapping[str, Any]) -> str | None:
    """The name in `KNOWN` of a tokenizer.json's pre-tokenizer; None if it is not there."""
    found = _without_defaults(tokenizer.get("pre_tokenizer"))
    return next((name for name in KNOWN if found == _without_defaults(_as_json(name))), None)


def _as_json(name: str) -> dict[str, Any]:
    from tokenizers import Tokenizer, models

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer(name)
    return json.loads(tokenizer.to_str())["pre_tokenizer"]  # type: ignore[no-any-return]


def _without_defaults(step: Any) -> Any:
    """The fields that decide where a text is cut; `trim_offsets` does not."""
    if not isinstance(step, dict):
        return step
    if step.get("type") == "Sequence":
        return [_without_defaults(one) for one in step["pretokenizers"]]
    kept = {key: value for key, value in step.items() if key != "trim_offsets"}
    return {"use_regex": True, **kept} if step.get("type") == "ByteLevel" else kept
