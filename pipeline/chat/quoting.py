"""Quoting first: the sentences of the passages that answer a question, word for word.

A model of a hundred million parameters reads badly and invents freely; a sentence found by meaning and words is the
owner's own. So with such a model the answer opens with a quotation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.chat.prompt import heading_line
from pipeline.chat.records import Similarity
from pipeline.chat.sentences import is_code, split_sentences
from pipeline.chat.words import content_stems, stems_with_parts
from pipeline.index.passages import Passage

MEANING_WEIGHT = 0.6
"""Of a sentence's cosine with the question; the rest is the share of the question's words that it holds."""
RANK_WEIGHT = 0.15
"""Added in full for the first passage, halved for the second, and so on: retrieval has seen more than the sentence."""
QUOTE_CHARS = 320
"""A quotation goes on with the following sentences up to this length."""
SECOND_SHARE = 0.9
"""A second quotation is added when its sentence scores at least this share of the best."""


@dataclass(frozen=True)
class Quote:
    n: int
    """The passage's number, from 1."""
    text: str

    def as_markdown(self) -> str:
        """A block quotation that ends in its mark."""
        if is_code(self.text.rsplit("\n\n", 1)[-1]):
            return "\n".join(f"> {line}" for line in self.text.splitlines()) + f"\n> [{self.n}]"
        return "\n".join(f"> {line}" for line in self.text.splitlines()) + f" [{self.n}]"


@dataclass(frozen=True)
class _Candidate:
    passage: int
    position: int
    score: float


def best_quotes(question: str, passages: Sequence[Passage], similarity: Similarity, most: int = 2) -> list[Quote]:
    """Up to `most` quotations, the best first, from different passages; [] for no passages."""
    sentences = [split_sentences(passage.text) for passage in passages]
    candidates = _scored(question, passages, sentences, similarity)
    if not candidates:
        return []
    best = candidates[0]
    chosen = [best]
    for candidate in candidates[1:]:
        if len(chosen) == most or candidate.score < SECOND_SHARE * best.score:
            break
        if candidate.passage not in {c.passage for c in chosen}:
            chosen.append(candidate)
    return [Quote(c.passage + 1, _extended(sentences[c.passage], c.position)) for c in chosen]


def _scored(
    question: str, passages: Sequence[Passage], sentences: Sequence[Sequence[str]], similarity: Similarity
) -> list[_Candidate]:
    places = [(p, s) for p, own in enumerate(sentences) for s in range(len(own))]
    if not places:
        return []
    # The heading says what the sentence is about, as it does in the index.
    texts = [f"{heading_line(passages[p])}\n{sentences[p][s]}" for p, s in places]
    cosines = similarity(question, texts)
    wanted = set(content_stems(question))
    scored = []
    for (p, s), text, cosine in zip(places, texts, cosines, strict=True):
        shared = len(wanted & stems_with_parts(text)) / len(wanted) if wanted else 0.0
        score = MEANING_WEIGHT * cosine + (1 - MEANING_WEIGHT) * shared + RANK_WEIGHT / 2**p
        scored.append(_Candidate(p, s, score))
    return sorted(scored, key=lambda c: c.score, reverse=True)


def _extended(sentences: Sequence[str], start: int) -> str:
    """The sentence and what follows it, as far as the length allows; after a colon always the next one."""
    text = sentences[start]
    for sentence in sentences[start + 1 :]:
        introduces = text.endswith(":")
        if not introduces and (is_code(text) or len(text) + len(sentence) > QUOTE_CHARS):
            break
        text += ("\n\n" if is_code(sentence) else " ") + sentence
        if is_code(sentence):
            break
    return text
