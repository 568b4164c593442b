"""Checks that question and answer are in the language of their text."""

from pipeline.dataset.records import Candidate
from pipeline.settings import DatasetSettings
from pipeline.text.detecting import SURE, identify, language_of

UNLIKELY = 0.03
"""If the text's language has a lower probability for a question or answer, that is in another language."""


def language(candidate: Candidate, settings: DatasetSettings) -> str:
    """The reason to refuse a question or answer that is certainly in another language than the text; or ""."""
    texts = tuple(source.text for source in candidate.sources)
    wanted, probability = language_of("\n".join(texts))
    if probability < SURE:
        return ""
    pair = candidate.pair
    parts = (
        {"question": pair.question} if pair.kind == "refusal" else {"question": pair.question, "answer": pair.answer}
    )
    for name, part in parts.items():
        # Words of the text are in a language of the text.
        if any(part in text for text in texts):
            continue
        found = identify(part)
        if found and found.get(wanted, 0.0) < UNLIKELY:
            best = max(found, key=found.__getitem__)
            return f"the {name} is in another language ({best}) than the text ({wanted})"
    return ""
