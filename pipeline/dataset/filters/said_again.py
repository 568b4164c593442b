"""Finds what an answer says again some words later, as a model does that fills up its answer."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from pipeline.dataset.filters.evidence import PairEvidence
from pipeline.dataset.filters.leftovers import without_blocks
from pipeline.text.function_words import FUNCTION_WORDS
from pipeline.text.pieces import is_code, split_sentences
from pipeline.text.words import content_stems, words

PHRASES = ((5, 3, 2), (6, 2, 2), (3, 2, 3))
"""A phrase of so many words, so many of them with a meaning, is not said so many times close together."""
FAR = 6
"""So many words may stand between. A long answer may come back to `a boating safety course` later."""
SAME_SENTENCE = 0.8
"""Two sentences say the same if they share so much of their words with a meaning."""
FEWEST_WORDS = 4
"""Shorter sentences are not compared."""
_CODE = re.compile(r"`([^`\n]*)`")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s|\|", re.MULTILINE)


def said_again(answer: str, evidence: PairEvidence) -> str:
    """What an answer says again although its text says it once; "" if nothing."""
    own = _CODE.sub(lambda code: re.sub(r"\W+", "_", code[1]), without_blocks(answer))
    if is_code(own) or _ITEM.search(own):
        return ""
    return _phrase(own, evidence) or _sentence(own, evidence)


def _phrase(own: str, evidence: PairEvidence) -> str:
    said = words(own)
    for length, meaningful, times in PHRASES:
        places: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for start, phrase in enumerate(_windows(said, length)):
            near = [place for place in places[phrase] if length <= start - place <= (times - 1) * (length + FAR)]
            places[phrase].append(start)
            if len(near) < times - 1 or sum(word not in FUNCTION_WORDS for word in phrase) < meaningful:
                continue
            if evidence.words.count(f" {' '.join(phrase)} ") < 2:
                return " ".join(phrase)
    return _joined(said, evidence) or _last_clause(own, evidence)


def _last_clause(own: str, evidence: PairEvidence) -> str:
    """What stands behind the last comma, if the answer has said it: `In one sitting of three hours, in one sitting.`"""
    before, _, last = own.rpartition(",")
    said = words(last)
    again = len(said) > 2 and f" {' '.join(said)} " in f" {' '.join(words(before))} "
    return " ".join(said) if again and evidence.words.count(f" {' '.join(said)} ") < 2 else ""


def _joined(said: Sequence[str], evidence: PairEvidence) -> str:
    """A phrase that is joined to itself: `five dates on the way and five dates on the way`."""
    for place, word in enumerate(said):
        for length in range(3, 1 + min(place, len(said) - place - 1)) if word in ("and", "or") else ():
            phrase = said[place - length : place]
            again = phrase == said[place + 1 : place + 1 + length]
            if again and not evidence.has((*phrase, word, *phrase)):
                return " ".join(phrase)
    return ""


def _windows(said: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    return (tuple(said[start : start + length]) for start in range(len(said) - length + 1))


def _sentence(own: str, evidence: PairEvidence) -> str:
    """A sentence with nearly the words of another one, or the same short sentence again."""
    sentences = [sentence for sentence in split_sentences(own) if words(sentence)]
    for place, sentence in enumerate(sentences):
        for other in sentences[:place]:
            if words(sentence) == words(other) and len(words(sentence)) > 1:
                if evidence.words.count(f" {' '.join(words(sentence))} ") < 2:
                    return sentence
            elif (_alike(sentence, other) or _within(sentence, other)) and not (
                evidence.says(sentence) and evidence.says(other)
            ):
                return sentence
    return ""


def _within(one: str, other: str) -> bool:
    """Whether the shorter of two sentences begins the longer one, or has all but two of its words in the same order."""
    short, long = sorted((words(one), words(other)), key=len)
    meaningful = sum(word not in FUNCTION_WORDS for word in short)
    if len(short) >= FEWEST_WORDS and meaningful > 1 and long[: len(short)] == short:
        return True
    left = iter(long)
    return len(short) > FEWEST_WORDS and len(long) - len(short) <= 2 and all(word in left for word in short)


def _alike(one: str, other: str) -> bool:
    mine, theirs = set(content_stems(one)), set(content_stems(other))
    if min(len(mine), len(theirs)) < FEWEST_WORDS:
        return False
    # `One costs 5 euros, the other costs 6`: the difference is what is said.
    return len(mine & theirs) >= SAME_SENTENCE * len(mine | theirs) and not _differ_in_substance(mine ^ theirs)


def _differ_in_substance(stems: set[str]) -> bool:
    return any(any(letter.isdigit() for letter in stem) for stem in stems)
