"""Question and answer in the language of their text."""

import functools
import re
from typing import TYPE_CHECKING

from pipeline.dataset.records import Candidate
from pipeline.settings import DatasetSettings

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

SURE = 0.9
"""Probability of the text's language from which the others are held against it."""
UNLIKELY = 0.03
"""Probability of the text's language below which a question or answer is in another one."""
FEWEST_LETTERS = 15
"""A shorter text could be in many languages; of Chinese, Japanese and Korean a third is enough."""

_NO_PROSE = re.compile(r"```.*?(?:```|\Z)|`[^`]*`|\S*[/@\\_]\S*|\S+\.\w\S*|[“\"«„][^”\"»“]*[”\"»“]|\S*\d\S*", re.DOTALL)
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def language(candidate: Candidate, settings: DatasetSettings) -> str:
    """Refuses a question or answer in another language than the text's, as far as that is certain."""
    texts = tuple(source.text for source in candidate.sources)
    probabilities = _of_text(texts)
    wanted = max(probabilities, key=probabilities.__getitem__, default="")
    if not wanted or probabilities[wanted] < SURE:
        return ""
    pair = candidate.pair
    parts = (
        {"question": pair.question} if pair.kind == "refusal" else {"question": pair.question, "answer": pair.answer}
    )
    for name, part in parts.items():
        # Words that stand in the text are in a language of the text.
        if any(part in text for text in texts):
            continue
        found = identify(part)
        if found and found.get(wanted, 0.0) < UNLIKELY:
            best = max(found, key=found.__getitem__)
            return f"the {name} is in another language ({best}) than the text ({wanted})"
    return ""


def without_spaces(text: str) -> bool:
    """Whether it is in a script that says much in few characters: Chinese, Japanese or Korean."""
    return 2 * len(_DENSE.findall(text)) > sum(map(str.isalpha, text))


def is_english(texts: tuple[str, ...]) -> bool:
    """Whether English rules may be applied; also when the texts don't tell."""
    probabilities = _of_text(texts)
    best = max(probabilities, key=probabilities.__getitem__, default="en")
    return best == "en" or probabilities[best] < SURE


def identify(text: str) -> dict[str, float]:
    """Probability of each language by its ISO 639-1 code; {} when there are too few words to tell."""
    prose = _NO_PROSE.sub(" ", text)
    letters = sum(3 if _DENSE.match(c) else 1 for c in prose if c.isalpha())
    if letters < FEWEST_LETTERS:
        return {}
    return {str(code): float(probability) for code, probability in _identifier().rank(" ".join(prose.split()))}


@functools.lru_cache(maxsize=4096)
def _of_text(texts: tuple[str, ...]) -> dict[str, float]:
    return identify("\n".join(texts))


@functools.cache
def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
