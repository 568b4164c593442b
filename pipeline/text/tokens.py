"""Turns text into keyword tokens, in the same way for chunks and for questions.

Prose is stemmed by the rules of its language. A name such as `mcp_settings.json`, `self_attn.q_proj` or `maxTokens` is
one token as a whole, and is also split at each of its joints. So it is found by the whole name and by any part. A word
with accents is also kept with them.
"""

import functools
import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from pipeline.text.languages.scripts import LETTER, UNSPACED
from pipeline.text.languages.tables import table
from pipeline.text.segments import RUN, is_han, is_unspaced, parts, segments
from pipeline.text.stems import language_of_word, stem
from pipeline.text.words import elided

VERSION = 4
"""Part of the index's recipe. Raise it when the tokens of a text change."""

TOKEN_PUNCTUATION = "._-/:+@#'"
"""The characters that a token may hold beside letters, digits and everything that is not ASCII."""

LONGEST_TOKEN = 80
"""Characters; a longer token is cut."""

_APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'", "\u200c": "", "\u200d": "", "\u00ad": ""})
"""Joiners and soft hyphens within a word change only how it looks."""
_SPACED = rf"(?:(?![{UNSPACED}])(?:{LETTER}|_))"
_WORD = re.compile(rf"{RUN}|{_SPACED}+(?:(?:'|[._\-/:+@#]+){_SPACED}+)*(?:\+\+|#(?!\w))?")
_NUMBER = re.compile(r"v?(\d+(?:\.\d+)+)", re.IGNORECASE)
_HUMPS = re.compile(rf"(?:(?!\d)(?:{LETTER}))+|\d+")
_CAMEL = re.compile(r"(?<=[a-zß-ÿ])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_JOINTS = (re.compile(r"[/:@#+]+"), re.compile(r"[.\-]+"), re.compile(r"_+"))


def tokens(text: str, language: str = "en") -> list[str]:
    """Every token of `text`, in order and with repetitions.

    Args:
        language: the ISO 639-1 code of the text's language.
    """
    runs = _runs(text, language)
    return [*(token for run in runs for word in run for token in _expand(word, language)), *_across(runs, language)]


def query_tokens(text: str, language: str = "en", *, exact: bool = False) -> list[str]:
    """Each token that the question `text` searches for, once. Stop words such as "the" count only where nothing else is there.

    Args:
        language: the ISO 639-1 code of the question's language.
        exact: search also for words with their accents, so that those are found first that have the same ones.
    """
    runs = _runs(text, language)
    found = [word for run in runs for word in run]
    meant = [word for word in found if not _is_stop_word(word, language)] or found
    searched = [token for word in meant for token in _searched(word, language, exact)]
    return list(dict.fromkeys([*searched, *_across(runs, language)]))


def _runs(text: str, language: str) -> list[Sequence[str]]:
    """The words of `text`; those that stand together without a space are one sequence."""
    runs = _WORD.findall(unicodedata.normalize("NFKC", text).translate(_APOSTROPHES))
    return [segments(run) if is_unspaced(run) else elided(run, language) for run in runs]


def _across(runs: Sequence[Sequence[str]], language: str) -> list[str]:
    """Two Chinese letters in a row that are no word of the dictionary, as they may be one: `显卡` is not `显` and `卡`."""
    return [
        first + second
        for run in runs
        for first, second in pairwise(run)
        if len(first) == len(second) == 1
        and is_han(first + second)
        and table(language_of_word(first, language)).function_words.isdisjoint((first, second))
    ]


def _is_stop_word(word: str, language: str) -> bool:
    lowered = word.lower()
    return lowered in table(language_of_word(lowered, language)).stop_words


def _searched(word: str, language: str, exact: bool) -> tuple[str, ...]:
    if is_unspaced(word):
        return (_fold(word), *parts(word)) if word.strip() else ()
    found = _expand(word, language)
    if word.isascii() or exact:
        return found
    # A word of a language with tones is another word without its marks.
    folded = [token for token in found if token == _fold(token)]
    marked = [token for token in found if token not in folded]
    return tuple(marked if marked and table(language).tones else folded)


@functools.lru_cache(maxsize=100_000)
def _expand(word: str, language: str) -> tuple[str, ...]:
    if is_unspaced(word):
        return (_fold(word), *parts(word, letters=True))
    if len(word) > 4 * LONGEST_TOKEN:  # so long a word is data, not language
        return (_fold(word)[:LONGEST_TOKEN],)
    found: dict[str, None] = {}
    _collect(word, 0, found, language)
    return tuple(token[:LONGEST_TOKEN] for token in found) or (_fold(word)[:LONGEST_TOKEN],)


def _collect(name: str, level: int, found: dict[str, None], language: str) -> None:
    """Adds `name` to `found`, and its parts at the joints from `_JOINTS[level]` on."""
    if not name:
        return
    if number := _NUMBER.fullmatch(name):
        found[_fold(name)] = None
        found[number[1]] = None
        return
    if level == len(_JOINTS):
        _collect_humps(name, found, language)
        return
    pieces = _JOINTS[level].split(name)
    if len(pieces) > 1:
        found[_fold(name)] = None
    for piece in pieces:
        if len(piece) > 1 or len(pieces) == 1:
            _collect(piece, level + 1, found, language)


def _collect_humps(name: str, found: dict[str, None], language: str) -> None:
    found.update(dict.fromkeys(_stems(name, language)))
    humps = [part for piece in _HUMPS.findall(name) for part in _CAMEL.split(piece)]
    if len(humps) > 1 and "'" not in name:
        found.update(dict.fromkeys(token for part in humps if len(part) > 1 for token in _stems(part, language)))


def _stems(word: str, language: str) -> tuple[str, ...]:
    """The stem without accents, and the word with its accents if it has some."""
    lowered = word.casefold()
    stemmed = stem(_fold(lowered) if language == "en" else lowered, language)
    folded = _fold(stemmed.replace("'", "") or lowered.replace("'", ""))
    return (folded,) if lowered.isascii() or _fold(lowered) == lowered else (folded, lowered)


def _fold(word: str) -> str:
    """`word` without case and accents: `Café` becomes `cafe`. Vowel signs, which are letters, stay."""
    folded = word.casefold()
    if folded.isascii():
        return folded
    split = unicodedata.normalize("NFKD", folded)
    return unicodedata.normalize("NFC", "".join(mark for mark in split if not _is_accent(mark)))


def _is_accent(mark: str) -> bool:
    # By combining class: nukta, Hebrew and Arabic vowels, and marks above and below Latin, Greek and Cyrillic letters.
    # Virama (9), the marks of kana (8) and Thai vowels and tones (103 to 107) make other words.
    place = unicodedata.combining(mark)
    return place == 7 or 10 <= place <= 35 or place >= 200
