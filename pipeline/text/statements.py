"""Splits a text into statements: its sentences, and the parts of sentences that say something."""

import re
from dataclasses import dataclass

from pipeline.text.names import named
from pipeline.text.numbers import numbers
from pipeline.text.pieces import bare, is_code, split_sentences
from pipeline.text.stems import stem
from pipeline.text.words import PART, content_stems

_NEGATIONS = re.compile(
    r"\b(?:no|not(?! (?:only|just|to mention|least|necessarily)\b)|never|none|nobody|nothing|neither|nor|without|cannot|lacks?|\w+n't)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[;,:()—–]\s|\s(?:and|but|because|while|whereas|as|so|unless|when|if|that|which|who)\s")
_HALF = re.compile(r"[;:]\s|,\s(?:and|but|while|whereas)\s")


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence, or a part of one."""

    text: str
    stems: frozenset[str]
    """Stems of its content words, and of the parts of compound ones."""
    numbers: frozenset[str]
    """Its numbers, as `pipeline.text.numbers.numbers` writes them."""
    named: frozenset[str]
    """Stems of the names in it, as `pipeline.text.names.named` finds them."""
    negative: bool
    """Whether it holds an odd number of negations."""


def statements(text: str) -> list[Statement]:
    """The sentences of `text` as statements, in order."""
    return [statement(sentence) for sentence in split_sentences(plain(text))]


def statement(text: str) -> Statement:
    """`text`, which is a sentence or a part of one, as a statement. A list mark at its begin is dropped."""
    text = text if is_code(text) else bare(text)
    stems = {part for word in content_stems(text) for part in (word, *map(stem, PART.findall(word)))}
    negations = len(_NEGATIONS.findall(text))
    return Statement(text, frozenset(stems), frozenset(numbers(text)), frozenset(named(text)), negations % 2 == 1)


def clauses(sentence: str) -> list[Statement]:
    """The smallest parts of `sentence` that say something. A code block is one part."""
    return _parts(sentence, _CLAUSE)


def halves(sentence: str) -> list[Statement]:
    """The parts of `sentence` that have a subject of their own. A code block is one part."""
    return _parts(sentence, _HALF)


def has_negation(sentence: str) -> bool:
    """Whether `sentence` holds a negation such as `not`, `never` or `without`."""
    return _NEGATIONS.search(sentence) is not None


def denied(sentence: str) -> set[str]:
    """The stems of what `sentence` denies: of the first word with meaning behind each negation."""
    behind = (content_stems(sentence[found.end() :]) for found in _NEGATIONS.finditer(sentence))
    return {stems[0] for stems in behind if stems}


def plain(text: str) -> str:
    """`text` without typographic apostrophes and bold type. No statement depends on them."""
    return text.replace("’", "'").replace("**", "")


def _parts(sentence: str, boundary: re.Pattern[str]) -> list[Statement]:
    parts = [sentence] if is_code(sentence) else boundary.split(sentence)
    return [statement(part) for part in parts if part.strip()]
