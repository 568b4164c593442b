"""Finds answers that speak of the author as of somebody else, where the author should speak."""

import re

from pipeline.dataset.filters.evidence import PairEvidence, evidence_of
from pipeline.dataset.filters.leftovers import prose
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
_MINE = {"they": "i", "their": "my", "them": "me", "he": "i", "his": "my", "him": "me", "she": "i", "her": "my"}
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
            hit = (
                _new(_AUTHOR, sentence, named)
                or _somebody(sentence, text, candidate.pair.question)
                or _they_for_i(sentence, evidence)
            )
        if hit:
            return f"the answer speaks of the author as “{hit}”, not as “I”"
    return ""


def _they_for_i(sentence: str, evidence: PairEvidence) -> str:
    """They or their where the text has the same words with I or my."""
    said = words(sentence)
    for place, word in enumerate(said):
        if mine := _MINE.get(word):
            window = said[place : place + 4]
            meant = [mine if one == word else one for one in window]
            if len(window) > 3 and evidence.says(" ".join(meant)) and not evidence.says(" ".join(window)):
                return word
    return ""


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
