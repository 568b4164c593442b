"""Words that carry meaning, by their stems: the ground for every check that needs no model."""

import re
from collections.abc import Collection, Iterable

from pipeline.text.function_words import FUNCTION_WORDS
from pipeline.text.stems import stem

WORD = re.compile(r"[^\W_]+(?:[._\-/'’][^\W_]+)*", re.UNICODE)
PART = re.compile(r"[^\W_]+", re.UNICODE)
PREFIX = 5
"""Letters from which on two words are taken for one: `necessary`, `necessity`."""


def words(text: str) -> list[str]:
    """Words in lower case; names such as `sitetwin.toml` and `all-minilm-l6-v2` stay whole."""
    return [word.lower().replace("’", "'") for word in WORD.findall(text)]


def content_stems(text: str) -> list[str]:
    """Stems of the words that are no function words, in their order."""
    return [stem(word) for word in words(text) if word not in FUNCTION_WORDS]


def stems_with_parts(text: str) -> set[str]:
    """Stems of all words and of the parts of composed ones, so that `toml` is found in `sitetwin.toml`."""
    found: set[str] = set()
    for word in words(text):
        found.add(stem(word))
        found.update(stem(part) for part in PART.findall(word))
    return found


def coverage(wanted: Collection[str], held: Iterable[str]) -> float:
    """The share of `wanted` stems that are among `held`, in this form or another; 1 for none."""
    if not wanted:
        return 1.0
    held = set(held)
    prefixes = {word[:PREFIX] for word in held if len(word) >= PREFIX}
    return sum(word in held or (len(word) >= PREFIX and word[:PREFIX] in prefixes) for word in wanted) / len(wanted)
