"""Finds the names in a text: words that are written like names, and words in code or in quotation marks."""

import re
from itertools import pairwise

from pipeline.text.languages.tables import table
from pipeline.text.pieces import INLINE_CODE
from pipeline.text.stems import stem
from pipeline.text.words import PART, WORD, elided, function_words

_FILE = re.compile(r"(?<![\w`/])[\w-]+(?:[._][\w-]+)+(?![\w`])")
_QUOTED = re.compile(r"[“\"«„]([^”\"»“]+)[”\"»“]")
_NEW_START = re.compile(r"[:–—(!?]\s*[A-Z](?=[a-z]+\b)")
"""A place where a capital is no sign of a name, as at the start of a sentence."""
_SENTENCE_START = re.compile(r"(?:^|[?!]\W|[^\W\d_A-Z]{3}\.\s)\W*$")
"""What stands before the first word of a sentence. `St. Louis` and `No. 5` begin none."""


def names(question: str, language: str = "en") -> set[str]:
    """The stems of the names in `question`: words with a capital or a digit that grammar does not ask for (`iPhone`, `2.0`).

    If more than half of the words look like that, as in a title, the set is empty.

    Args:
        language: the question's, by its ISO 639-1 code. Where all nouns have a capital, a first letter tells nothing.
    """
    found = list(WORD.finditer(question))
    nouns = table(language).capitals == "nouns"
    shaped = [
        word[0]
        for before, word in pairwise((None, *found))
        if word and _is_name(word[0], language, first=nouns or _begins_sentence(question, before, word))
    ]
    # In a title or a shout every word has a capital, so capitals tell nothing.
    if len(shaped) > len(found) / 2:
        return set()
    return {stem(part, language) for word in shaped for part in elided(word.lower().replace("’", "'"), language)}


def _begins_sentence(question: str, before: re.Match[str] | None, word: re.Match[str]) -> bool:
    """Whether `word`, behind the word `before`, is the first of a sentence."""
    # What tells stands behind the last letters of the word before, so no more is read for each word.
    start = max(0, before.start() - 2) if before else 0
    return _SENTENCE_START.search(question, start, word.start()) is not None


def _is_name(word: str, language: str, *, first: bool) -> bool:
    if word.lower() in function_words(language):
        return False
    return any(c.isdigit() or c.isupper() for c in (word[1:] if first else word))


def named(text: str) -> set[str]:
    """The stems of names, of words in code, and of the names of files and keys. Bare numbers are left out."""
    prose = _NEW_START.sub(lambda hit: hit[0].lower(), text)
    shaped = {part for name in names(prose) for part in _shaped_parts(name, prose)}
    code = " ".join([*INLINE_CODE.findall(text), *_FILE.findall(text)])
    return {word for word in shaped | {stem(part.lower()) for part in PART.findall(code)} if not word.isdigit()}


def quoted(text: str) -> list[str]:
    """The texts that stand in quotation marks, without the marks."""
    return _QUOTED.findall(text)


def as_written(word: str, text: str) -> str:
    """The first word of `text` whose stem is `word`, as it is written there; `word` itself if there is none."""
    tokens = re.findall(r"[^\W_]+(?:[-'][^\W_]+)*", text)
    alike = (
        token
        for token in tokens
        if word in (token.lower(), stem(token.lower()), *map(stem, PART.findall(token.lower())))
    )
    return next(alike, word)


def _shaped_parts(name: str, text: str) -> set[str]:
    """The parts of a compound that are written like a name: only `linux` for `Linux-based`."""
    parts = PART.findall(name)
    if len(parts) < 2:
        return {name}
    shaped = {stem(word.lower()) for word in PART.findall(text) if any(c.isupper() or c.isdigit() for c in word)}
    return {part for part in map(stem, parts) if part in shaped}
