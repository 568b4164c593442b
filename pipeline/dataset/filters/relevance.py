"""Finds questions that are not about their text."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from pipeline.dataset.filters.evidence import evidence_of
from pipeline.dataset.records import Candidate, Rejection
from pipeline.text.names import as_written, named, quoted
from pipeline.text.numbers import numbers
from pipeline.text.words import content_stems

LEAST_SHARED = 0.4
"""If the text has a smaller share of the question's content words, the two must be near in meaning."""
NEAR = 0.45
"""From this cosine of question and text on, the words don't matter."""
NEAR_NAMED = 0.5
"""The same for a question with a name that is not in the text: `President Biden` may be the text's `I`."""
FAR = 0.1
"""Below this cosine, question and text are about different things, whatever their words."""
KNOWN = 4
"""If questions about so many chunks add the same name, it is the author's, the site's or the document's name."""


def relevance(candidates: Sequence[Candidate], embed: Callable[[Sequence[str]], np.ndarray]) -> dict[str, Rejection]:
    """Rejections, by pair id, of pairs whose text is not about the question. Refusals are not checked.

    Args:
        embed: returns unit vectors, float32 (texts, dimension).
    """
    asked = [candidate for candidate in candidates if candidate.pair.kind != "refusal"]
    if not asked:
        return {}
    everywhere = _names_everywhere(asked)
    texts = list(dict.fromkeys(candidate.text for candidate in asked))
    place = {text: position for position, text in enumerate(texts)}
    of_texts = embed(texts)
    of_questions = embed([candidate.pair.question for candidate in asked])
    refused: dict[str, Rejection] = {}
    for candidate, vector in zip(asked, of_questions, strict=True):
        cosine = float(vector @ of_texts[place[candidate.text]])
        if reason := _reason(candidate, cosine, everywhere):
            refused[candidate.pair.id] = Rejection(stage="relevance", reason=reason)
    return refused


def _reason(candidate: Candidate, cosine: float, everywhere: set[str]) -> str:
    if _quotes_title(candidate):
        return ""
    lacking = _lacking_names(candidate) - everywhere
    if lacking and cosine < NEAR_NAMED:
        return f"the question names “{as_written(min(lacking), candidate.pair.question)}”, which is not in the text"
    evidence = evidence_of(candidate.sources)
    wanted = set(content_stems(candidate.pair.question)) - everywhere
    held = {word for word in wanted if evidence.holds(word)}
    if cosine < FAR or (len(held) < LEAST_SHARED * len(wanted) and cosine < NEAR):
        shown = ", ".join(sorted(wanted - held)) or "nothing in particular"
        return f"the text is not about what is asked ({shown}; similarity {cosine:.2f})"
    return ""


def _quotes_title(candidate: Candidate) -> bool:
    """Whether the question asks for the document by its title: `What are the main points of “Models”?`"""
    titles = quoted(candidate.pair.question)
    return any(source.title in titles for source in candidate.sources)


def _lacking_names(candidate: Candidate) -> set[str]:
    evidence = evidence_of(candidate.sources)
    if not evidence.english:
        return numbers(candidate.pair.question) - evidence.numbers
    held = {word for word in named(candidate.pair.question) if evidence.holds(word) or word in evidence.numbers}
    return (named(candidate.pair.question) - held) | (numbers(candidate.pair.question) - evidence.numbers)


def _names_everywhere(candidates: Sequence[Candidate]) -> set[str]:
    """Names in the questions about at least KNOWN chunks that the texts lack."""
    chunks: dict[str, set[str]] = defaultdict(set)
    for candidate in candidates:
        for name in _lacking_names(candidate):
            chunks[name].update(candidate.pair.chunks)
    return {name for name, found in chunks.items() if len(found) >= KNOWN and not name[0].isdigit()}
