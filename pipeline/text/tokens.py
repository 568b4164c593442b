"""Turns text into keyword tokens, in the same way for chunks and for questions.

Prose is stemmed. A name such as `mcp_settings.json`, `self_attn.q_proj` or `maxTokens` is one token as a whole, and is
also split at each of its joints. So it is found by the whole name and by any part.
"""

import functools
import re
import unicodedata

from pipeline.text.function_words import STOP_WORDS
from pipeline.text.stems import stem

VERSION = 1
"""Part of the index's recipe. Raise it when the tokens of a text change."""

TOKEN_PUNCTUATION = "._-/:+@#'"
"""The characters that a token may hold beside letters, digits and everything that is not ASCII."""

LONGEST_TOKEN = 80
"""Characters; a longer token is cut."""

_APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'"})
_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]+|\w(?:(?![{_CJK}])\w)*(?:(?:'|[._\-/:+@#]+)(?:(?![{_CJK}])\w)+)*(?:\+\+|#(?!\w))?")
_IS_CJK = re.compile(rf"[{_CJK}]")
_NUMBER = re.compile(r"v?(\d+(?:\.\d+)+)", re.IGNORECASE)
_HUMPS = re.compile(r"[^\W\d_]+|\d+")
_CAMEL = re.compile(r"(?<=[a-zß-ÿ])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_JOINTS = (re.compile(r"[/:@#+]+"), re.compile(r"[.\-]+"), re.compile(r"_+"))


def tokens(text: str) -> list[str]:
    """Every token of `text`, in order and with repetitions."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text).translate(_APOSTROPHES))
    return [token for word in words for token in _expand(word)]


def query_tokens(text: str) -> list[str]:
    """Each token that the question `text` searches for, once. Stop words such as "the" count only where nothing else is there."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text).translate(_APOSTROPHES))
    meant = [word for word in words if word.casefold() not in STOP_WORDS] or words
    return list(dict.fromkeys(token for word in meant for token in _expand(word)))


@functools.lru_cache(maxsize=100_000)
def _expand(word: str) -> tuple[str, ...]:
    if _IS_CJK.match(word):
        return tuple(word[i : i + 2] for i in range(max(1, len(word) - 1)))
    if len(word) > 4 * LONGEST_TOKEN:  # so long a word is data, not language
        return (_fold(word)[:LONGEST_TOKEN],)
    found: dict[str, None] = {}
    _collect(word, 0, found)
    return tuple(token[:LONGEST_TOKEN] for token in found) or (_fold(word)[:LONGEST_TOKEN],)


def _collect(name: str, level: int, found: dict[str, None]) -> None:
    """Adds `name` to `found`, and its parts at the joints from `_JOINTS[level]` on."""
    if not name:
        return
    if number := _NUMBER.fullmatch(name):
        found[_fold(name)] = None
        found[number[1]] = None
        return
    if level == len(_JOINTS):
        _collect_humps(name, found)
        return
    parts = _JOINTS[level].split(name)
    if len(parts) > 1:
        found[_fold(name)] = None
    for part in parts:
        if len(part) > 1 or len(parts) == 1:
            _collect(part, level + 1, found)


def _collect_humps(name: str, found: dict[str, None]) -> None:
    found[_stem(_fold(name))] = None
    parts = [part for piece in _HUMPS.findall(name) for part in _CAMEL.split(piece)]
    if len(parts) > 1 and "'" not in name:
        found.update(dict.fromkeys(_stem(_fold(part)) for part in parts if len(part) > 1))


def _fold(word: str) -> str:
    """`word` without case and accents: `Café` becomes `cafe`."""
    folded = word.casefold()
    if folded.isascii():
        return folded
    return "".join(mark for mark in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(mark))


def _stem(word: str) -> str:
    return stem(word).replace("'", "") or word.replace("'", "")
