"""Finds questions that are not about their text."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from pipeline.dataset.filters.evidence import evidence_of
from pipeline.dataset.filters.other_languages import pair_language
from pipeline.dataset.records import Candidate, Rejection
from pipeline.text.languages.tables import table
from pipeline.text.names import as_written, named, quoted
from pipeline.text.numbers import numbers
from pipeline.text.words import content_stems

LEAST_SHARED = 0.4
"""If the text has a smaller share of the question's content words, the two must be near in meaning."""
NEAR = 0.45
"""From this cosine of question and text on, the words don't matter."""
NEAR_NAMED = 0.5
"""The same for a question with a name that is not in the text: `President Biden` may be the text's `I`."""
NEAR_PERSONAL = 0.25
"""The same where the author is asked about themselves, in words that the text need not have: `What are your hobbies?`"""
NEAR_ELSEWHERE = 0.2
"""The same in another language than English, which a small embedder hardly knows."""
FAR = 0.1
"""Below this cosine, question and text are about different things, whatever their words."""
_CODE = re.compile(r"`[^`]+`|(?<!\S)--?\w[\w-]*|(?<!\S)\.?\w+[._]\w+(?:[._]\w+)*")
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
    if _quotes_title(candidate) or _names_code(candidate):
        return ""
    lacking = _lacking_names(candidate) - everywhere
    if lacking and cosine < NEAR_NAMED:
        return f"the question names “{as_written(min(lacking), candidate.pair.question)}”, which is not in the text"
    evidence = evidence_of(candidate.sources)
    wanted = set(content_stems(candidate.pair.question)) - _empty_words(candidate) - everywhere
    held = {word for word in wanted if evidence.holds(word)}
    if not evidence.english:
        near = NEAR_ELSEWHERE
    else:
        near = NEAR_PERSONAL if _is_personal(candidate) and (held or len(wanted) == 1) else NEAR
    if cosine < FAR or (len(held) < LEAST_SHARED * len(wanted) and cosine < near):
        shown = ", ".join(sorted(wanted - held)) or "nothing in particular"
        return f"the text is not about what is asked ({shown}; similarity {cosine:.2f})"
    return ""


def _names_code(candidate: Candidate) -> bool:
    """Whether the question names a file, an option or the like that the text has: `my.cnf`, `--autosquash`."""
    return any(hit[0] in candidate.text for hit in _CODE.finditer(candidate.pair.question))


def _empty_words(candidate: Candidate) -> set[str]:
    """The stems of the words that say nothing in the language of the text. Those of English are left out anyway."""
    language = pair_language(candidate)
    if language in ("", "en"):
        return set()
    rules = table(language)
    return set(content_stems(" ".join(rules.function_words | rules.stop_words)))


def _is_personal(candidate: Candidate) -> bool:
    """Whether the question speaks to the author, and the author speaks in the text."""
    speaks = any(re.search(r"\b(?:I|my|I'm|I've)\b", source.text.replace("’", "'")) for source in candidate.sources)
    return speaks and re.search(r"\byour?\b", candidate.pair.question, re.IGNORECASE) is not None


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
