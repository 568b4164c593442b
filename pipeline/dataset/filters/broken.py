"""Finds texts that a model broke off, and words that it repeats because it has lost the thread."""

import re

from pipeline.dataset.filters.evidence import PairEvidence, evidence_of, shortened
from pipeline.dataset.filters.leftovers import prose
from pipeline.dataset.records import Candidate
from pipeline.text.pieces import is_code, split_sentences

_OPEN_END = re.compile(r"(?:[,:\[–—]|(?<!:)\()\s*$|\s-\s*$")
_OPEN_WORD = re.compile(
    r"\b(?:the|an?|and|or|but|because|which|whose|my|your|our|their|with|from|of|than|into|"
    r"such as|as well as|in order to|its|his|her|roughly|approximately|exactly|not at|I still|(?:because|since|which) (?:I|it|we|they) (?:am|is|was|are|were|have|had)|and how|and why|and what|and when)$"
)
_OPEN_BEFORE_MARK = re.compile(r"\b(?:the|an|and|my|your|our|because|such as|as well as)[.?!]$")
_TRAILS_OFF = re.compile(r"(?:…|\.\.\.)$")
_FINISHED = re.compile(r"[.?!…。？！؟](?:\[\d+\])?[\"'”’»)*_`\s]*$")
_ENDS_IN_CODE = re.compile(r"”$|\bhttps?://\S+$|\S+@\S+$|[\w/]+\.\w+$")
_WORD_TWICE = re.compile(r"(?<![\w'-])([^\W\d_]+)\s+\1(?![\w'’-])", re.IGNORECASE)
_WORD_THRICE = re.compile(r"(?<![\w'-])([^\W_]{2,})(?:[\s,]+\1){2,}(?![\w'’-])", re.IGNORECASE)
_PHRASE_TWICE = re.compile(
    r"(?<![\w'-])(\w+(?:\s+[\w'’-]+){2,9}|(?P<one>(?!(?:by|and|after|to|in|for|on|or|upon)\b)\w+)\s+(?!(?:(?P=one)|by|and|after|to|in|for|on|or|upon)\b)[\w'’-]+)[\s,;.?!]+\1(?![\w'’-])",
    re.IGNORECASE,
)
_MAY_REPEAT = frozenset("had that very so really no yes many much far long bye ha her".split())


def broken(candidate: Candidate) -> str:
    """The reason to refuse a pair of which a sentence breaks off or says words twice, or ""."""
    pair, evidence = candidate.pair, evidence_of(candidate.sources)
    for name, text in (("question", pair.question), ("answer", "" if pair.kind == "refusal" else pair.answer)):
        own = prose(text).strip()
        if own and _is_cut_off(own, candidate.text, evidence):
            return f"the {name} breaks off: “…{own[-40:]}”"
        if twice := _twice(own, evidence):
            return f"the {name} says “{shortened(twice)}” one after the other"
    return ""


def _is_cut_off(own: str, text: str, evidence: PairEvidence) -> bool:
    if _OPEN_END.search(own) or own.count("(") > own.count(")") + own.count(":("):
        return True
    if _TRAILS_OFF.search(own):
        return not re.search(r"…|\.\.\.", text)
    # Only English function words are known that cannot end a sentence.
    if evidence.english and (_OPEN_WORD.search(own) or _OPEN_BEFORE_MARK.search(own)):
        return True
    sentences = split_sentences(own)
    return (
        len(sentences) > 1
        and all(_FINISHED.search(sentence) for sentence in sentences[:-1])
        and not any(is_code(sentence) or re.match(r"[-*+]|\d+[.)]", sentence) for sentence in sentences)
        and not _FINISHED.search(sentences[-1])
        and not _ENDS_IN_CODE.search(sentences[-1])
        and not _ends_there(own[-24:], text)
    )


def _ends_there(end: str, text: str) -> bool:
    """Whether a sentence of the text ends with `end`: then only the full stop is missing."""
    after = text.partition(end)[2].lstrip(" ")
    return end in text and not after[:1].isalnum()


def _twice(own: str, evidence: PairEvidence) -> str:
    """Words that stand one after the other twice, unless the text has them so."""
    patterns = (_PHRASE_TWICE, _WORD_THRICE, *([_WORD_TWICE] if evidence.english else []))
    for pattern in patterns:
        for hit in pattern.finditer(own):
            doubled = pattern is _WORD_TWICE and (hit[1].casefold() in _MAY_REPEAT or hit[0].istitle())
            emphatic = pattern is _WORD_THRICE and hit[1].casefold() in _MAY_REPEAT
            if not doubled and not emphatic and not evidence.says(hit[0]):
                return hit[0]
    return ""
