"""The scripts of letters, and the marks that belong to the letter before them."""

import re
import unicodedata
from functools import cache


def _ranges(first: int, end: int) -> str:
    """The combining marks from `first` to `end` as the inside of a character class."""
    marks = [code for code in range(first, end) if unicodedata.category(chr(code)).startswith("M")]
    starts = [code for code in marks if code - 1 not in marks]
    ends = [code for code in marks if code + 1 not in marks]
    return "".join(f"{chr(start)}-{chr(end)}" for start, end in zip(starts, ends, strict=True))


MARKS = "".join(
    _ranges(*span) for span in ((0x300, 0x370), (0x483, 0x48A), (0x591, 0x1DC0), (0x1DC0, 0x1E00), (0xA66F, 0xABEE))
)
"""Combining marks for a character class. Without them a Hindi or Thai word falls apart at its vowels."""
LETTER = rf"[^\W_]|[{MARKS}]"
"""A letter, digit or mark, to be put in a group."""

HAN = "\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
KANA = "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"
UNSPACED = rf"{HAN}{KANA}\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\uaa60-\uaa7f\ua9e0-\ua9fe"
"""Letters of Chinese, Japanese, Thai, Lao, Burmese and Khmer, which put no spaces between words."""

_SCRIPTS = {
    "hangul": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
    "kana": KANA,
    "han": HAN,
    "cyrillic": "\u0400-\u052f",
    "arabic": "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc",
    "devanagari": "\u0900-\u097f",
    "greek": "\u0370-\u03ff\u1f00-\u1fff",
    "hebrew": "\u0590-\u05ff",
    "armenian": "\u0530-\u058f",
    "tamil": "\u0b80-\u0bff",
    "thai": "\u0e00-\u0e7f",
    "lao": "\u0e80-\u0eff",
    "burmese": "\u1000-\u109f\uaa60-\uaa7f\ua9e0-\ua9fe",
    "khmer": "\u1780-\u17ff",
}
_OF_LETTER = {script: re.compile(f"[{letters}]") for script, letters in _SCRIPTS.items()}
_ONE_LANGUAGE = {
    "hangul": "ko", "kana": "ja", "han": "zh", "cyrillic": "ru", "arabic": "ar", "devanagari": "hi", "greek": "el",
    "hebrew": "he", "armenian": "hy", "tamil": "ta", "thai": "th", "lao": "lo", "burmese": "my", "khmer": "km",
}  # fmt: skip


_OTHERS = {
    "be": "cyrillic", "bg": "cyrillic", "kk": "cyrillic", "ky": "cyrillic", "mk": "cyrillic", "mn": "cyrillic",
    "sr": "cyrillic", "uk": "cyrillic", "fa": "arabic", "ps": "arabic", "ug": "arabic", "ur": "arabic",
    "mr": "devanagari", "ne": "devanagari",
}  # fmt: skip
_OF_LANGUAGE = {language: script for script, language in _ONE_LANGUAGE.items()} | _OTHERS


@cache
def script_of(letter: str) -> str:
    """The script of a letter; `latin` for Latin and for those that are not known here."""
    return next((script for script, pattern in _OF_LETTER.items() if pattern.match(letter)), "latin")


def counts(text: str) -> dict[str, int]:
    """How many letters of each script `text` has, without scripts that it lacks."""
    found = {script: len(pattern.findall(text)) for script, pattern in _OF_LETTER.items()}
    found["latin"] = sum(map(str.isalpha, text)) - sum(found.values())
    return {script: count for script, count in found.items() if count > 0}


def usual_language(script: str) -> str:
    """The ISO 639-1 code of the language that most texts in `script` are in; "" for Latin."""
    return _ONE_LANGUAGE.get(script, "")


def script_of_language(language: str) -> str:
    """The script that `language`, an ISO 639-1 code, is written in."""
    return _OF_LANGUAGE.get(language, "latin")


def main_script(text: str) -> str:
    """The script of most letters; kana and Han are one, called after the kana if there are some. "" without letters."""
    found = counts(text)
    if found.get("kana", 0) * 10 > found.get("han", 0):
        found["kana"] = found.get("kana", 0) + found.pop("han", 0)
    return max(found, key=found.__getitem__, default="")
