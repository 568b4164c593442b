"""Words that carry meaning, by their stems. Every check that needs no model is built on them."""

import functools
import re
from collections.abc import Collection, Iterable

from pipeline.text.languages.scripts import LETTER, UNSPACED, script_of_language
from pipeline.text.languages.tables import known_codes, table
from pipeline.text.segments import RUN, is_unspaced, segments
from pipeline.text.stems import stem

_SPACED = rf"(?:(?![{UNSPACED}])(?:{LETTER}))+"
WORD = re.compile(rf"{RUN}|{_SPACED}(?:[._\-/'’]{_SPACED})*")
PART = re.compile(rf"{RUN}|{_SPACED}")
PREFIX = 5
"""Two words that share this many first letters count as one: `necessary`, `necessity`."""


def words(text: str) -> list[str]:
    """The words of `text` in lower case. Names such as `sitetwin.toml` and `all-minilm-l6-v2` stay whole."""
    return [word.lower().replace("’", "'") for word in written_words(text)]


def written_words(text: str) -> list[str]:
    """The words of `text` as they are written there."""
    return [word for run in WORD.findall(text) for word in _split(run)]


def content_stems(text: str, language: str = "en") -> list[str]:
    """The stems of the words that are not function words, in order and with repetitions.

    Args:
        language: the ISO 639-1 code of the text's language.
    """
    empty = function_words(language)
    return [stem(part, language) for word in words(text) for part in elided(word, language) if part not in empty]


def stems_with_parts(text: str, language: str = "en") -> set[str]:
    """The stems of all words and of the parts of compound ones, so that `toml` is found in `sitetwin.toml`."""
    found: set[str] = set()
    for word in words(text):
        found.add(stem(word, language))
        found.update(stem(part, language) for part in PART.findall(word))
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


@functools.cache
def function_words(language: str) -> frozenset[str]:
    """The words that questions are made of, in a text in `language`, which may hold words of other scripts."""
    others = [code for code in known_codes() if script_of_language(code) != "latin"]
    return frozenset().union(*(table(code).function_words for code in {language or "en", *others}))


def elided(word: str, language: str) -> list[str]:
    """The words in `word`, where grammar alone joins them (`l'eau`, `faut-il`); otherwise `word` alone."""
    if language in ("", "en") or not ("'" in word or "-" in word):
        return [word]
    joints = "['-]" if table(language).elides else "-"
    parts = [part for part in re.split(joints, word) if part]
    if "'" in word and table(language).elides:
        return parts
    return parts if len(parts) > 1 and any(part in table(language).function_words for part in parts) else [word]


def _split(run: str) -> Iterable[str]:
    return segments(run) if is_unspaced(run) else (run,)
