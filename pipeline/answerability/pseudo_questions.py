"""Makes questions from the words of a chunk, which then answers them. So a search can be tried without labels."""

import random
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pipeline.index.vocabulary import SampledChunk
from pipeline.text.detecting import count_languages, main_language
from pipeline.text.languages.tables import PseudoQuestions, table
from pipeline.text.pieces import bare, is_code, split_sentences
from pipeline.text.segments import is_unspaced
from pipeline.text.words import function_words, written_words

LENGTHS = (4, 9)
"""The fewest and the most words that are taken from a sentence."""
REPLACED = 0.2
"""The share of words with meaning that are replaced, because people do not ask in the note's words."""
FEWEST = 2
"""The fewest words with meaning that a question needs."""


class PseudoQuestion(NamedTuple):
    """A question that nobody asked, and the chunk that answers it."""

    text: str
    chunk: SampledChunk
    """The chunk that holds the answer."""


def pseudo_questions(chunks: Sequence[SampledChunk], count: int, seed: int) -> list[PseudoQuestion]:
    """Makes at most `count` questions, fewer if the chunks have few sentences.

    Chance is drawn anew for each chunk, from its digest. So a chunk more or less changes hardly a question about another.
    """
    usual = next(iter(count_languages(chunk.text for chunk in chunks)), "en")
    drawn: list[_Stretch] = []
    for chunk in chunks:
        rng, language = random.Random(f"{seed} {chunk.digest}"), main_language(chunk.text) or usual
        drawn += (_Stretch(rng.random(), chunk, language, words, rng) for words in _stretches(chunk, language, rng))
    drawn.sort(key=lambda stretch: stretch.place)
    known: dict[str, list[str]] = {}
    for language in {stretch.language for stretch in drawn}:
        said = (word for stretch in drawn if stretch.language == language for word in stretch.words)
        known[language] = sorted({word.lower() for word in said if _has_meaning(word, language)})
    asked = []
    for _, chunk, language, words, rng in drawn[:count]:
        frame = rng.choice(_rules(language).frames)
        said_otherwise = _said_otherwise(words, language, known[language], rng)
        asked.append(PseudoQuestion(frame.format(_joined(said_otherwise)), chunk))
    return asked


class _Stretch(NamedTuple):
    """Words in a row from one sentence of a chunk."""

    place: float
    """By chance, from 0 to 1."""
    chunk: SampledChunk
    language: str
    words: list[str]
    rng: random.Random
    """The chunk's own."""


def _stretches(chunk: SampledChunk, language: str, rng: random.Random) -> Iterable[list[str]]:
    """Takes some words in a row from each sentence."""
    for sentence in split_sentences(chunk.text):
        if is_code(sentence):
            continue
        words = written_words(bare(sentence))
        length = rng.randint(*LENGTHS)
        start = rng.randrange(max(1, len(words) - length + 1))
        stretch = words[start : start + length]
        if sum(_has_meaning(word, language) for word in stretch) >= FEWEST:
            # A sentence begins with a capital, which would look like a name in the question.
            yield [stretch[0].lower(), *stretch[1:]] if start == 0 else stretch


def _said_otherwise(words: Iterable[str], language: str, known: Sequence[str], rng: random.Random) -> list[str]:
    foreign = _rules(language).foreign or known
    return [
        rng.choice(foreign if rng.random() < 0.5 else known)
        if _has_meaning(word, language) and rng.random() < REPLACED
        else word
        for word in words
    ]


def _joined(words: Iterable[str]) -> str:
    """The words with spaces, where their language has some."""
    text = ""
    for word in words:
        text += word if not text or (is_unspaced(word) and is_unspaced(text[-1])) else f" {word}"
    return text


def _rules(language: str) -> PseudoQuestions:
    return table(language).pseudo_questions


def _has_meaning(word: str, language: str) -> bool:
    return word.lower() not in function_words(language) and (len(word) > 1 or is_unspaced(word))
