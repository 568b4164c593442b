"""The marks [n] of an answer, held against what was retrieved."""

import re
from collections.abc import Iterable, Iterator, Sequence

from pipeline.chat.records import Citation
from pipeline.index.passages import Passage
from pipeline.text.numbers import numbers
from pipeline.text.pieces import bare, split_sentences
from pipeline.text.words import content_stems, stems_with_parts

_MARK = re.compile(r"\[(\d{1,3})\]")
_GROUP = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})+)\]")
_OPEN = re.compile(r"\[[\d\s,;]*$")

SUPPORTED = 0.6
"""Share of a sentence's content words that a passage must hold for the sentence to rest on it."""


def checked_marks(pieces: Iterable[str], passages: int) -> Iterator[str]:
    """The stream without marks that name no passage; `[1, 2]` becomes `[1][2]`. A mark is never cut in two."""
    held = ""
    for piece in pieces:
        held += piece
        cut = match.start() if (match := _OPEN.search(held)) else len(held)
        if text := _clean(held[:cut], passages):
            yield text
        held = held[cut:]
    if held:
        yield _clean(held, passages)


def _clean(text: str, passages: int) -> str:
    text = _GROUP.sub(lambda group: "".join(f"[{n}]" for n in re.findall(r"\d+", group[1])), text)
    return _MARK.sub(lambda mark: mark[0] if 1 <= int(mark[1]) <= passages else "", text)


def cited_numbers(answer: str) -> list[int]:
    """Each n that the answer names, in the order of first naming."""
    return list(dict.fromkeys(int(n) for n in _MARK.findall(answer)))


def support(sentence: str, text: str) -> float:
    """Share, 0 to 1, of the sentence's content words that `text` holds; 0 if it lacks one of its numbers."""
    stems = set(content_stems(_MARK.sub("", sentence)))
    if not stems or not numbers(_MARK.sub("", sentence)) <= numbers(text):
        return 0.0
    return len(stems & stems_with_parts(text)) / len(stems)


def supporting_passage(sentence: str, passages: Sequence[Passage]) -> int | None:
    """The number, from 1, of the passage that the sentence rests on best; None if it rests on none."""
    scores = [support(sentence, f"{p.title} {p.heading} {p.text}") for p in passages]
    best = max(range(len(scores)), key=scores.__getitem__, default=None)
    return best + 1 if best is not None and scores[best] >= SUPPORTED else None


def citations(answer: str, passages: Sequence[Passage]) -> list[Citation]:
    """A citation for each passage that the answer names, with the passage's sentence that says it best."""
    return [_citation(n, answer, passages[n - 1]) for n in cited_numbers(answer) if 1 <= n <= len(passages)]


def _citation(n: int, answer: str, passage: Passage) -> Citation:
    said = stems_with_parts(" ".join(s for s in split_sentences(answer) if f"[{n}]" in s) or answer)
    quote = max(split_sentences(passage.text), key=lambda s: len(said & set(content_stems(s))), default=passage.text)
    return Citation(
        n=n, document=passage.document, title=passage.title, url=passage.url, heading=passage.heading, quote=bare(quote)
    )
