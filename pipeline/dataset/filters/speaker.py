"""Finds answers that speak of the author as of somebody else, where the author should speak."""

import re
from collections.abc import Iterator, Sequence

from pipeline.dataset.filters.evidence import PairEvidence, evidence_of
from pipeline.dataset.filters.leftovers import prose, without_blocks
from pipeline.dataset.records import Candidate
from pipeline.text.pieces import split_sentences
from pipeline.text.words import words

_FIRST_PERSON = re.compile(r"\b(?:I|I'm|I've|my|me|mine|myself)\b")
_AUTHOR = re.compile(
    r"\b(?:the|this) (?:author|writer|blogger|narrator|person|(?:site|blog)(?:'s)? (?:owner|author)|(?:owner|author|writer) of (?:the|this) (?:site|blog|page|post))(?:'s)?\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"(?:^|^(?:In|At|On|After|Before|Since) [^,]{1,40}, |[,;]\s+(?:and|but|so|because|as|where)?\s*)(he|she|his|her)\b(?!\s*[/(])",
    re.IGNORECASE,
)
_NOUN = re.compile(r"\b(?:the|this) (?:author|writer|blogger|narrator)\b", re.IGNORECASE)
_AS_ONE = "theauthor"
_SUBJECTS = frozenset(("they", "he", "she", _AS_ONE))
_OWN = {"their": "my", "them": "me", "his": "my", "him": "me", "her": "my"}
_SHORT = {
    "has": ("i've",),
    "have": ("i've",),
    "is": ("i'm",),
    "are": ("i'm",),
    "had": ("i'd",),
    "would": ("i'd",),
    "will": ("i'll",),
}
_PLAIN = {"has": "have", "is": "am", "are": "am", "does": "do", "were": "was"}
_WINDOWS = ((0, 3), (1, 2), (2, 1), (3, 0))
"""How many words before and behind a pronoun are compared with the text."""
_SOMEBODY = re.compile(r"\b(?:he|she|him|her|his|hers)\b", re.IGNORECASE)


def third_person(candidate: Candidate) -> str:
    """The reason to refuse an answer that names the author, or says "the author" or "he", where "I" should stand; or ""."""
    if candidate.pair.kind == "refusal":
        return ""
    evidence = evidence_of(candidate.sources)
    text = "\n".join(source.text for source in candidate.sources).replace("’", "'")
    named = f"{candidate.text}\n{candidate.pair.question}"
    speaks = _FIRST_PERSON.search(text) is not None
    for sentence in split_sentences(prose(candidate.pair.answer).replace("’", "'")):
        if evidence.says(sentence):
            continue
        hit = _own_name(sentence, candidate.author)
        if not hit and speaks:
            hit = _new(_AUTHOR, sentence, named) or _somebody(sentence, text, candidate.pair.question)
        if hit:
            return _says(hit)
    # Also within quotation marks: the text shows what stood there.
    own = split_sentences(without_blocks(candidate.pair.answer)) if speaks else []
    return next((_says(hit) for sentence in own if (hit := _for_the_authors(sentence, evidence))), "")


def _says(hit: str) -> str:
    return f"the answer speaks of the author as “{hit}”, not as “I”"


def _for_the_authors(sentence: str, evidence: PairEvidence) -> str:
    """A word for somebody else where the text has the same words around `I` or `my`."""
    said = words(_NOUN.sub(_AS_ONE, sentence))
    for place, word in enumerate(said):
        for mine, skipped in _mine(word, said[place + 1 : place + 2]):
            after = said[place + 1 + skipped :]
            for before, behind in _WINDOWS:
                window = (*said[max(0, place - before) : place], *mine, *after[:behind])
                is_new = not evidence.has(said[max(0, place - before) : place + 1 + behind])
                if len(window) > 3 and is_new and evidence.has(window):
                    return "the author" if word == _AS_ONE else word
    return ""


def _mine(word: str, following: Sequence[str]) -> Iterator[tuple[tuple[str, ...], int]]:
    """The words in the first person for which `word` may stand, and how many of the following words they include."""
    if word in _OWN:
        yield (_OWN[word],), 0
    elif word in _SUBJECTS:
        yield from (((mine,), 0) for mine in ("i", "i've", "i'm", "i'd", "i'll"))
        for verb in following:
            yield from (((mine,), 1) for mine in _SHORT.get(verb, ()))
            # `he likes`
            yield ("i", _PLAIN.get(verb, verb.removesuffix("s"))), 1


def _own_name(sentence: str, author: str) -> str:
    """The author's name in `sentence`, unless it introduces the author or belongs to somebody with another surname."""
    first, *rest = author.split() or [""]
    if not first:
        return ""
    whole = rf"{re.escape(first)}(?:\s+{re.escape(' '.join(rest))})?" if rest else re.escape(first)
    for hit in re.finditer(rf"(?<![\w@./-]){whole}(?![\w@/-]|\.\w)", sentence):
        before, after = sentence[: hit.start()], sentence[hit.end() :]
        introduced = re.search(
            r"\b(?:I'm|I am|me|name is|name's|called|named|known as|©)\s*[“\"]?$", before, re.IGNORECASE
        )
        somebody_else = re.match(r"\s+[A-Z][a-z]", after) or re.search(r"\b[A-Z][a-z]+\s$", before.lstrip()[1:])
        if not introduced and not somebody_else and not _FIRST_PERSON.search(sentence):
            return hit[0]
    return ""


def _new(pattern: re.Pattern[str], sentence: str, known: str) -> str:
    hit = pattern.search(sentence)
    return hit[0] if hit and hit[0].casefold() not in known.casefold() else ""


def _somebody(sentence: str, text: str, question: str) -> str:
    """He or she where neither text nor question speaks of anybody, so that only the author can be meant."""
    hit = _PRONOUN.search(sentence)
    return hit[1] if hit and not _SOMEBODY.search(f"{text} {question}") and not _FIRST_PERSON.search(sentence) else ""
