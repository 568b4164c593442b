"""The text of a pair as words, numbers and statements, to check an answer against."""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.dataset.records import PairSource
from pipeline.text.detecting import may_be_english
from pipeline.text.numbers import number_words, numbers
from pipeline.text.statements import Statement, clauses, halves, has_negation, plain, statements
from pipeline.text.words import PREFIX, stems_with_parts, words

SHOWN_CHARS = 90
_LINK = re.compile(r"\[([^\[\]]*)\]\((?:[^()\s]|\([^()\s]*\))*\)")


@dataclass(frozen=True, slots=True)
class PairEvidence:
    """What the text of a pair contains."""

    words: str
    """All words in order, with one blank between them and at both ends."""
    stems: frozenset[str]
    prefixes: frozenset[str]
    numbers: frozenset[str]
    sentences: tuple[Statement, ...]
    clauses: tuple[Statement, ...]
    """The smallest parts of the sentences."""
    halves: tuple[Statement, ...]
    """The parts of the sentences that have their own subject."""
    unnegated: tuple[bool, ...]
    """For each clause: whether its sentence has no negation."""
    bare_sentences: tuple[str, ...]
    """The words of each sentence, as in `words`."""
    longest_list: int
    """Most items of a list or enumeration, which a word such as `five` may count."""
    english: bool

    def says(self, sentence: str) -> bool:
        """Whether the text contains `sentence` word for word."""
        return f" {_bare_words(sentence)} " in self.words

    def has(self, said: Sequence[str]) -> bool:
        """Whether the text contains these words, which are in lower case, in this order."""
        return f" {' '.join(said)} " in self.words

    def holds(self, word: str) -> bool:
        """Whether the text contains the stem `word`, or a word with the same prefix."""
        return word in self.stems or (len(word) >= PREFIX and word[:PREFIX] in self.prefixes)


@functools.lru_cache(maxsize=512)
def evidence_of(sources: tuple[PairSource, ...]) -> PairEvidence:
    """The evidence in the texts of `sources`; titles and headings count as words."""
    texts = tuple(source.text for source in sources)
    whole = plain("\n\n".join(f"{s.document} {s.title} {s.heading}\n\n{s.text}" for s in sources))
    stems = frozenset(stems_with_parts(whole))
    sentences = tuple(sentence for text in texts for sentence in statements(text))
    return PairEvidence(
        f" {_bare_words(whole)} ",
        stems,
        frozenset(word[:PREFIX] for word in stems if len(word) >= PREFIX),
        frozenset(numbers(whole)) | frozenset(number_words(whole)),
        sentences,
        tuple(clause for sentence in sentences for clause in clauses(sentence.text)),
        tuple(half for sentence in sentences for half in halves(sentence.text)),
        tuple(not has_negation(sentence.text) for sentence in sentences for _ in clauses(sentence.text)),
        tuple(f" {_bare_words(sentence.text)} " for sentence in sentences),
        max(len(re.findall(r"^\s*(?:[-*+]|\d+[.)]|\|)\s", whole, re.MULTILINE)), *(s.text.count(",") + 2 for s in sentences), 0),
        may_be_english("\n".join(texts)),
    )  # fmt: skip


def shortened(text: str) -> str:
    """`text` in one line of at most SHOWN_CHARS characters."""
    text = " ".join(text.split())
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1].rstrip()}…"


def _bare_words(text: str) -> str:
    """The words as a reader sees them: an answer quotes a link without its address."""
    return " ".join(words(_LINK.sub(r"\1", text)))
