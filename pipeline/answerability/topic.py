"""What a question says beside the topic of the whole collection."""

import re

from pipeline.answerability.evidence import wanted_tokens
from pipeline.index.vocabulary import Vocabulary
from pipeline.text.segments import is_unspaced
from pipeline.text.words import written_words

COMMON = 0.15
"""The share of the chunks that hold a word of the topic. From .15 to .3 it hardly matters; at .1 other words are lost."""
FEWEST = 30
"""Chunks of a collection that has a topic. In a few notes a word that stands twice would be one."""


def without_topic(question: str, language: str, vocabulary: Vocabulary) -> str:
    """`question` without the words of the topic, such as a product's name; all of it if nothing else would be left.

    Every chunk of notes about a product is near a question that names it, whatever it asks.

    Args:
        language: the question's, an ISO 639-1 code.
        vocabulary: how common the question's `wanted_tokens` are.
    """
    if vocabulary.chunks < FEWEST:
        return question
    left = question
    for word in dict.fromkeys(written_words(question)):
        tokens = wanted_tokens(word, language)
        if tokens and min(vocabulary.frequencies.get(token, 0) for token in tokens) >= COMMON * vocabulary.chunks:
            edge = "" if is_unspaced(word) else r"\b"
            left = re.sub(rf"\s*{edge}{re.escape(word)}{edge}", "", left)
    return left.strip() if wanted_tokens(left, language) else question
