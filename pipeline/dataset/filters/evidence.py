"""The text of a pair as its words, numbers and statements: what an answer is held against."""

import functools
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pipeline.dataset.filters.language import is_english
from pipeline.dataset.records import Source
from pipeline.text.pieces import bare, is_code, split_sentences
from pipeline.text.words import content_stems, names, stem, stems_with_parts, words

PREFIX = 5
"""Letters from which on two words are taken for one: `necessary`, `necessity`."""

SHOWN_CHARS = 90

_NUMBER = re.compile(r"(?<![\w.])\.?\d+(?:[.,:]\d+)*")
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty".split()
    )
} | {"thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "hundred": "100", "thousand": "1000", "dozen": "12"}
_LIST_MARK = re.compile(r"^\s*\d+[.)]\s+", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_FILE = re.compile(r"(?<![\w`/])[\w-]+(?:[._][\w-]+)+(?![\w`])")
_QUOTED = re.compile(r"[“\"«„]([^”\"»“]+)[”\"»“]")
_NEW_START = re.compile(r"[:–—(!?]\s*[A-Z](?=[a-z]+\b)")
"""Where a capital says no more than at the start of a sentence."""
_PART = re.compile(r"[^\W_]+")
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
    """Of its content words, with the parts of composed ones."""
    numbers: frozenset[str]
    named: frozenset[str]
    negative: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    words: str
    """All, in their order, with nothing but blanks between them and around."""
    stems: frozenset[str]
    prefixes: frozenset[str]
    numbers: frozenset[str]
    sentences: tuple[Statement, ...]
    clauses: tuple[Statement, ...]
    """The least parts of its sentences."""
    halves: tuple[Statement, ...]
    """The parts of its sentences that have a subject of their own."""
    unnegated: tuple[bool, ...]
    """By clause: whether nothing in its whole sentence is negative."""
    longest_list: int
    """Items of a list or enumeration: what `five` may have counted."""
    english: bool

    def says(self, sentence: str) -> bool:
        """Whether a sentence stands there word for word."""
        return f" {_bare_words(sentence)} " in self.words

    def holds(self, word: str) -> bool:
        """Whether a stem is among the words, or another form of it."""
        return word in self.stems or (len(word) >= PREFIX and word[:PREFIX] in self.prefixes)


@functools.lru_cache(maxsize=512)
def evidence_of(sources: tuple[Source, ...]) -> Evidence:
    texts = tuple(source.text for source in sources)
    whole = _plain("\n\n".join(f"{s.document} {s.title} {s.heading}\n\n{s.text}" for s in sources))
    stems = frozenset(stems_with_parts(whole))
    sentences = tuple(statement(sentence) for text in texts for sentence in split_sentences(_plain(text)))
    return Evidence(
        f" {_bare_words(whole)} ",
        stems,
        frozenset(word[:PREFIX] for word in stems if len(word) >= PREFIX),
        frozenset(numbers(whole)) | frozenset(number_words(whole)),
        sentences,
        tuple(clause for sentence in sentences for clause in clauses(sentence.text)),
        tuple(half for sentence in sentences for half in halves(sentence.text)),
        tuple(not has_negation(sentence.text) for sentence in sentences for _ in clauses(sentence.text)),
        max(len(re.findall(r"^\s*(?:[-*+]|\d+[.)]|\|)\s", whole, re.MULTILINE)), *(s.text.count(",") + 2 for s in sentences), 0),
        is_english(texts),
    )  # fmt: skip


def statements(text: str) -> list[Statement]:
    """The sentences of an answer."""
    return [statement(sentence) for sentence in split_sentences(_plain(text))]


def statement(text: str) -> Statement:
    text = text if is_code(text) else bare(text)
    stems = {part for word in content_stems(text) for part in (word, *map(stem, _PART.findall(word)))}
    negations = len(_NEGATIONS.findall(text))
    return Statement(text, frozenset(stems), frozenset(numbers(text)), frozenset(named(text)), negations % 2 == 1)


def clauses(sentence: str) -> list[Statement]:
    """The least parts of a sentence that say something; code is one."""
    return _parts(sentence, _CLAUSE)


def halves(sentence: str) -> list[Statement]:
    """The parts of a sentence that have a subject of their own."""
    return _parts(sentence, _HALF)


def has_negation(sentence: str) -> bool:
    return _NEGATIONS.search(sentence) is not None


def numbers(text: str) -> set[str]:
    """Numbers in figures, in one way of writing: {"5000000", ".872"} for `5,000,000` and `0.872`."""
    # `8x12 TB` is two numbers.
    found = _NUMBER.findall(re.sub(r"(?<=\d)[x×](?=\d)", " ", _LIST_MARK.sub("", text)))
    return {
        re.sub(r"^0+(?=[.\d])", "", re.sub(r",(?=\d{3}(?:\D|$))", "", number).replace(",", ".")) for number in found
    }


def number_words(text: str) -> dict[str, str]:
    """English numbers in words that stand in `text`, as figures: {"12": "twelve"}."""
    found = (word for word in re.findall(r"[a-z]+", text.casefold()) if word in _NUMBER_WORDS)
    return {_NUMBER_WORDS[word]: word for word in found}


def named(text: str) -> set[str]:
    """Stems of names, and of all that stands in code or is the name of a file or key; no bare numbers."""
    prose = _NEW_START.sub(lambda hit: hit[0].lower(), text)
    shaped = {part for name in names(prose) for part in _shaped_parts(name, prose)}
    code = " ".join([*_CODE.findall(text), *_FILE.findall(text)])
    return {word for word in shaped | {stem(part.lower()) for part in _PART.findall(code)} if not word.isdigit()}


def quoted(text: str) -> list[str]:
    """What stands in quotation marks."""
    return _QUOTED.findall(text)


def coverage(wanted: Collection[str], held: Iterable[str]) -> float:
    """The share of `wanted` stems that are among `held`, in this form or another; 1 for none."""
    if not wanted:
        return 1.0
    held = set(held)
    prefixes = {word[:PREFIX] for word in held if len(word) >= PREFIX}
    return sum(word in held or (len(word) >= PREFIX and word[:PREFIX] in prefixes) for word in wanted) / len(wanted)


def as_written(word: str, text: str) -> str:
    """The first word of `text` with the stem `word`, as it stands there."""
    tokens = re.findall(r"[^\W_]+(?:[-'][^\W_]+)*", text)
    alike = (
        token
        for token in tokens
        if word in (token.lower(), stem(token.lower()), *map(stem, _PART.findall(token.lower())))
    )
    return next(alike, word)


def shortened(text: str) -> str:
    """One line, to be shown."""
    text = " ".join(text.split())
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1].rstrip()}…"


def _parts(sentence: str, boundary: re.Pattern[str]) -> list[Statement]:
    parts = [sentence] if is_code(sentence) else boundary.split(sentence)
    return [statement(part) for part in parts if part.strip()]


def _shaped_parts(name: str, text: str) -> set[str]:
    """Of `Linux-based` only `linux`: the parts that are written like a name."""
    parts = _PART.findall(name)
    if len(parts) < 2:
        return {name}
    shaped = {stem(word.lower()) for word in _PART.findall(text) if any(c.isupper() or c.isdigit() for c in word)}
    return {part for part in map(stem, parts) if part in shaped}


def _bare_words(text: str) -> str:
    return " ".join(words(text))


def _plain(text: str) -> str:
    return text.replace("’", "'").replace("**", "")
