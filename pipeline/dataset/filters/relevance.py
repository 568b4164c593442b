"""Questions that are not about their text."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from pipeline.dataset.filters.evidence import evidence_of
from pipeline.dataset.records import Candidate, Rejection
from pipeline.text.names import as_written, named, quoted
from pipeline.text.numbers import numbers
from pipeline.text.words import content_stems

LEAST_SHARED = 0.4
"""Share of the question's content words in the text, below which it must be near in meaning."""
NEAR = 0.45
"""Cosine of question and text from which on the words don't matter."""
NEAR_NAMED = 0.5
"""The same for a question that names what the text does not name: `President Biden` may be the text's `I`."""
FAR = 0.1
"""Cosine of question and text below which they are about different things, whatever the words."""
KNOWN = 4
"""Chunks whose questions bring a name in though they lack it: then it is the author's, the site's or the document's."""


def relevance(candidates: Sequence[Candidate], embed: Callable[[Sequence[str]], np.ndarray]) -> dict[str, Rejection]:
    """Rejections by id of pairs whose question the text is not about. Refusals may ask what they like.

    Args:
        embed: unit vectors, float32 (texts, dimension).
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
    """Names that questions about several chunks hold though their texts don't."""
    chunks: dict[str, set[str]] = defaultdict(set)
    for candidate in candidates:
        for name in _lacking_names(candidate):
            chunks[name].update(candidate.pair.chunks)
    return {name for name, found in chunks.items() if len(found) >= KNOWN and not name[0].isdigit()}
