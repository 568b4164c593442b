"""Tells which language a text is written in."""

import functools
import re
from typing import TYPE_CHECKING

from pipeline.text.function_words import FUNCTION_WORDS
from pipeline.text.words import words

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

SURE = 0.9
"""A language with at least this probability is taken as certain."""
FEWEST_LETTERS = 15
"""A text with fewer letters could be in many languages. A Chinese, Japanese or Korean letter counts as three."""
ENGLISH_SHARE = 0.22
"""English text has at least this share of English function words. Texts in other languages have less."""

_NO_PROSE = re.compile(r"```.*?(?:```|\Z)|`[^`]*`|\S*[/@\\_]\S*|\S+\.\w\S*|[“\"«„][^”\"»“]*[”\"»“]|\S*\d\S*", re.DOTALL)
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def identify(text: str) -> dict[str, float]:
    """The probability of each language, by its ISO 639-1 code; {} if `text` has too few words to tell."""
    prose = _NO_PROSE.sub(" ", text)
    letters = sum(3 if _DENSE.match(c) else 1 for c in prose if c.isalpha())
    if letters < FEWEST_LETTERS:
        return {}
    return {str(code): float(probability) for code, probability in _identifier().rank(" ".join(prose.split()))}


@functools.lru_cache(maxsize=4096)
def language_of(text: str) -> tuple[str, float]:
    """The likeliest language, by its ISO 639-1 code, and its probability; ("", 0) if `text` has too few words to tell."""
    probabilities = identify(text)
    best = max(probabilities, key=probabilities.__getitem__, default="")
    return best, probabilities.get(best, 0.0)


def may_be_english(text: str) -> bool:
    """Whether rules for English may be applied to `text`. True also if its language can't be told."""
    language, probability = language_of(text)
    return language in ("en", "") or probability < SURE


def is_english(prose: str) -> bool:
    """Whether `prose` is certainly English, judged by its share of English function words (`ENGLISH_SHARE`)."""
    found = words(prose)
    return bool(found) and sum(word in FUNCTION_WORDS for word in found) >= ENGLISH_SHARE * len(found)


def without_spaces(text: str) -> bool:
    """Whether most letters of `text` are Chinese, Japanese or Korean, which say much in few characters."""
    return 2 * len(_DENSE.findall(text)) > sum(map(str.isalpha, text))


@functools.cache
def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
