"""Finds the words of languages that put no spaces between them, with ICU's dictionaries."""

import functools
import re

from pipeline.text.languages.scripts import HAN, MARKS, UNSPACED

RUN = rf"[{UNSPACED}][{UNSPACED}{MARKS}]*"
"""A pattern: letters of such languages in a row."""
_IS_RUN = re.compile(f"[{UNSPACED}]")
_HAN = re.compile(f"[{HAN}]")
_ONLY_HAN = re.compile(f"[{HAN}]+")
_CALLED = re.compile(r"(?<=^.)(叫)$")
"""ICU's dictionary has the barking of dogs as a word, which `狗叫什么名字` (what is the dog called) is not about."""


def is_unspaced(text: str) -> bool:
    """Whether `text` begins with a letter of a language without spaces."""
    return _IS_RUN.match(text) is not None


def is_han(text: str) -> bool:
    """Whether every letter of `text` is a Chinese one."""
    return _ONLY_HAN.fullmatch(text) is not None


@functools.lru_cache(maxsize=20_000)
def segments(run: str) -> tuple[str, ...]:
    """The words of `run`: `備用鑰匙` becomes `備用`, `鑰匙`. ICU knows Chinese, Japanese, Thai, Lao, Burmese and Khmer."""
    # Imported here to keep a start quick: it reads 30 MB of dictionaries.
    from icu4py.breakers import WordBreaker

    return tuple(part for word in WordBreaker(run, "und") for part in _CALLED.split(str(word)) if part)


def parts(word: str, *, letters: bool = False) -> tuple[str, ...]:
    """What else a word without spaces is found by: its pairs of letters, and with `letters` also each Chinese letter.

    A dictionary cuts a name or a compound otherwise in another sentence. Pairs are the same in all.
    """
    pairs = tuple(word[at : at + 2] for at in range(len(word) - 1)) if len(word) > 2 and _HAN.search(word) else ()
    return (*pairs, *(_HAN.findall(word) if letters and len(word) > 1 else ()))
