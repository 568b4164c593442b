"""Names of a text: what is written like one, and what stands in code or in quotation marks."""

import re

from pipeline.text.function_words import FUNCTION_WORDS
from pipeline.text.stems import stem
from pipeline.text.words import PART, WORD

_CODE = re.compile(r"`([^`\n]+)`")
_FILE = re.compile(r"(?<![\w`/])[\w-]+(?:[._][\w-]+)+(?![\w`])")
_QUOTED = re.compile(r"[“\"«„]([^”\"»“]+)[”\"»“]")
_NEW_START = re.compile(r"[:–—(!?]\s*[A-Z](?=[a-z]+\b)")
"""Where a capital says no more than at the start of a sentence."""


def names(question: str) -> set[str]:
    """Stems of what a question names: words with a capital or a digit that grammar does not ask for (`iPhone`, `2.0`)."""
    found = WORD.findall(question)
    shaped = [word for position, word in enumerate(found) if _is_name(word, first=position == 0)]
    # In a title or a shout every word has a capital: then it says nothing.
    return set() if len(shaped) > len(found) / 2 else {stem(word.lower()) for word in shaped}


def _is_name(word: str, *, first: bool) -> bool:
    if word.lower() in FUNCTION_WORDS:
        return False
    return any(c.isdigit() or c.isupper() for c in (word[1:] if first else word))


def named(text: str) -> set[str]:
    """Stems of names, and of all that stands in code or is the name of a file or key; no bare numbers."""
    prose = _NEW_START.sub(lambda hit: hit[0].lower(), text)
    shaped = {part for name in names(prose) for part in _shaped_parts(name, prose)}
    code = " ".join([*_CODE.findall(text), *_FILE.findall(text)])
    return {word for word in shaped | {stem(part.lower()) for part in PART.findall(code)} if not word.isdigit()}


def quoted(text: str) -> list[str]:
    """What stands in quotation marks."""
    return _QUOTED.findall(text)


def as_written(word: str, text: str) -> str:
    """The first word of `text` with the stem `word`, as it stands there."""
    tokens = re.findall(r"[^\W_]+(?:[-'][^\W_]+)*", text)
    alike = (
        token
        for token in tokens
        if word in (token.lower(), stem(token.lower()), *map(stem, PART.findall(token.lower())))
    )
    return next(alike, word)


def _shaped_parts(name: str, text: str) -> set[str]:
    """Of `Linux-based` only `linux`: the parts that are written like a name."""
    parts = PART.findall(name)
    if len(parts) < 2:
        return {name}
    shaped = {stem(word.lower()) for word in PART.findall(text) if any(c.isupper() or c.isdigit() for c in word)}
    return {part for part in map(stem, parts) if part in shaped}
