"""Messages that no note answers, whatever it holds: sums, works to be written, and orders to the assistant."""

import re
from collections.abc import Sequence

from pipeline.index.passages import Passage
from pipeline.text.languages.tables import table
from pipeline.text.numbers import number_words
from pipeline.text.sentences import sentences
from pipeline.text.words import function_words, words

_RECKONS = re.compile(r"\d\s*[*×÷^+=]\s*\d|\d\s+[-−/x]\s+\d")
"""Signs between numbers; without spaces `24/7` and `2020-2021` are none."""


def is_outside(question: str, passages: Sequence[Passage], language: str) -> bool:
    """Whether `question` wants something reckoned or written, and no fact.

    A sum that the passages hold in the same words is none.

    Args:
        language: the question's, by its ISO 639-1 code.
    """
    if any(table(language).asks_for_work(sentence) for sentence in sentences(question)):
        return True
    reckoned = _sum(question, language)
    return bool(reckoned) and not any(reckoned in f" {' '.join(words(passage.text))} " for passage in passages)


def _sum(question: str, language: str) -> str:
    """The words of a question that is a sum and nothing else, from its first number or word that reckons; "" for others."""
    said, reckoning = words(question), table(language).sums
    in_words = number_words(question).values() if language == "en" else ()
    counted = {word for word in said if word[0].isdigit() or word in in_words}
    meant = counted | reckoning
    if not counted or set(said) - meant - function_words(language):
        return ""
    if reckoning.isdisjoint(said) and not _RECKONS.search(question):
        return ""
    places = [place for place, word in enumerate(said) if word in meant]
    return f" {' '.join(said[places[0] : places[-1] + 1])} "
