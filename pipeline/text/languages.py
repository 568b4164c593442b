"""The language of a text."""

import functools
import re
from typing import TYPE_CHECKING

from pipeline.text.function_words import FUNCTION_WORDS
from pipeline.text.words import words

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

SURE = 0.9
"""Probability of a text's language from which it is taken for certain."""
FEWEST_LETTERS = 15
"""A shorter text could be in many languages; of Chinese, Japanese and Korean a third is enough."""
ENGLISH_SHARE = 0.22
"""Of a text's words, those that are function words of English; other languages stay below it."""

_NO_PROSE = re.compile(r"```.*?(?:```|\Z)|`[^`]*`|\S*[/@\\_]\S*|\S+\.\w\S*|[“\"«„][^”\"»“]*[”\"»“]|\S*\d\S*", re.DOTALL)
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def identify(text: str) -> dict[str, float]:
    """Probability of each language by its ISO 639-1 code; {} when there are too few words to tell."""
    prose = _NO_PROSE.sub(" ", text)
    letters = sum(3 if _DENSE.match(c) else 1 for c in prose if c.isalpha())
    if letters < FEWEST_LETTERS:
        return {}
    return {str(code): float(probability) for code, probability in _identifier().rank(" ".join(prose.split()))}


@functools.lru_cache(maxsize=4096)
def language_of(text: str) -> tuple[str, float]:
    """The likeliest language by its ISO 639-1 code, and its probability; ("", 0) when there are too few words."""
    probabilities = identify(text)
    best = max(probabilities, key=probabilities.__getitem__, default="")
    return best, probabilities.get(best, 0.0)


def may_be_english(text: str) -> bool:
    """Whether English rules may be applied; also when the text doesn't tell."""
    language, probability = language_of(text)
    return language in ("en", "") or probability < SURE


def is_english(prose: str) -> bool:
    """Whether it surely is English: whether English function words hold it together."""
    found = words(prose)
    return bool(found) and sum(word in FUNCTION_WORDS for word in found) >= ENGLISH_SHARE * len(found)


def without_spaces(text: str) -> bool:
    """Whether it is in a script that says much in few characters: Chinese, Japanese or Korean."""
    return 2 * len(_DENSE.findall(text)) > sum(map(str.isalpha, text))


@functools.cache
def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
