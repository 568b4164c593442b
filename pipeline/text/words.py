"""Words that carry meaning, by their stems. Every check that needs no model is built on them."""

import re
from collections.abc import Collection, Iterable

from pipeline.text.function_words import FUNCTION_WORDS
from pipeline.text.stems import stem

WORD = re.compile(r"[^\W_]+(?:[._\-/'’][^\W_]+)*", re.UNICODE)
PART = re.compile(r"[^\W_]+", re.UNICODE)
PREFIX = 5
"""Two words that share this many first letters count as one: `necessary`, `necessity`."""


def words(text: str) -> list[str]:
    """The words of `text` in lower case. Names such as `sitetwin.toml` and `all-minilm-l6-v2` stay whole."""
    return [word.lower().replace("’", "'") for word in WORD.findall(text)]


def content_stems(text: str) -> list[str]:
    """The stems of the words that are not function words, in order and with repetitions."""
    return [stem(word) for word in words(text) if word not in FUNCTION_WORDS]


def stems_with_parts(text: str) -> set[str]:
    """The stems of all words and of the parts of compound ones, so that `toml` is found in `sitetwin.toml`."""
    found: set[str] = set()
    for word in words(text):
        found.add(stem(word))
        found.update(stem(part) for part in PART.findall(word))
    return found


def coverage(wanted: Collection[str], held: Iterable[str]) -> float:
    """The share of the stems `wanted` that stand among `held`, from 0 to 1; 1 if nothing is wanted.

    A stem also counts if another one with the same first `PREFIX` letters is held.
    """
    if not wanted:
        return 1.0
    held = set(held)
    prefixes = {word[:PREFIX] for word in held if len(word) >= PREFIX}
    return sum(word in held or (len(word) >= PREFIX and word[:PREFIX] in prefixes) for word in wanted) / len(wanted)
