"""Makes questions from the words of a chunk, which then answers them. So a search can be tried without labels."""

import random
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pipeline.index.vocabulary import SampledChunk
from pipeline.text.function_words import FUNCTION_WORDS
from pipeline.text.pieces import bare, is_code, split_sentences

LENGTHS = (4, 9)
"""The fewest and the most words that are taken from a sentence."""
REPLACED = 0.2
"""The share of words with meaning that are replaced, because people do not ask in the note's words."""
FEWEST = 2
"""The fewest words with meaning that a question needs."""

_WORD = re.compile(r"[^\W_]+(?:[._\-/'’][^\W_]+)*")
_FRAMES = ("{}?", "What is {}?", "What does {}?", "How do I {}?", "Which {}?", "Can I {}?", "Why {}?", "Where is {}?")
_FOREIGN = (
    "asthma bakery bishop cathedral chlorine dentist dolphin embassy furnace gallery giraffe glacier harvest hockey island"
    " jungle kangaroo kidney lighthouse lottery monastery mortgage mosquito nickel opera orchestra parliament passport"
    " pelican penguin piano quarry rugby sailor saxophone senator sonnet tariff temple tractor trombone umpire uncle"
    " vaccine violin volcano waiter walrus yoghurt zeppelin"
).split()
"""Words that few collections hold. Half of the replaced words become one of them, the rest a word of another chunk."""


class PseudoQuestion(NamedTuple):
    """A question that nobody asked, and the chunk that answers it."""

    text: str
    chunk: SampledChunk
    """The chunk that holds the answer."""


def pseudo_questions(chunks: Sequence[SampledChunk], count: int, rng: random.Random) -> list[PseudoQuestion]:
    """Makes at most `count` questions, fewer if the chunks have few sentences."""
    stretches = [(chunk, words) for chunk in chunks for words in _stretches(chunk, rng)]
    rng.shuffle(stretches)
    known = sorted({word.lower() for _, words in stretches for word in words if _has_meaning(word)})
    return [
        PseudoQuestion(rng.choice(_FRAMES).format(" ".join(_said_otherwise(words, known, rng))), chunk)
        for chunk, words in stretches[:count]
    ]


def _stretches(chunk: SampledChunk, rng: random.Random) -> Iterable[list[str]]:
    """Takes some words in a row from each sentence."""
    for sentence in split_sentences(chunk.text):
        if is_code(sentence):
            continue
        words = _WORD.findall(bare(sentence))
        length = rng.randint(*LENGTHS)
        start = rng.randrange(max(1, len(words) - length + 1))
        stretch = words[start : start + length]
        if sum(map(_has_meaning, stretch)) >= FEWEST:
            # A sentence begins with a capital, which would look like a name in the question.
            yield [stretch[0].lower(), *stretch[1:]] if start == 0 else stretch


def _said_otherwise(words: Iterable[str], known: Sequence[str], rng: random.Random) -> list[str]:
    return [
        rng.choice(_FOREIGN if rng.random() < 0.5 else known)
        if _has_meaning(word) and rng.random() < REPLACED
        else word
        for word in words
    ]


def _has_meaning(word: str) -> bool:
    return word.lower() not in FUNCTION_WORDS and len(word) > 1
