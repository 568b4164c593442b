"""Finds answers that lack what the question asks for: a number for `how many`, a time for `when`, a price for `how much`."""

import re

from pipeline.dataset.filters.evidence import evidence_of
from pipeline.dataset.records import Candidate
from pipeline.text.numbers import number_words

_OPENING = r"(?:^|[,:;]\s|\b(?:and|but|so)\s)"
_ANY_NUMBER = r"\d|\b(?:one|once|twice|half|dozens?|hundreds?|thousands?|millions?|couple|pair|few|several|many|most|some|none|no|nobody|all|any|every|each|both|only|single|single-handed|countless|unlimited|lots?|plenty|both|nothing|zero|an?)\b"
_TYPES: tuple[tuple[re.Pattern[str], re.Pattern[str], str], ...] = (
    (
        re.compile(
            rf"{_OPENING}(?:how much (?:money )?(?:did|do|does|would|will|is|was|were|are)\b.*\b(?:cost|pay|paid|spend|charge|worth)\b"
            r"|what (?:is|was|were|did|does|do)\b.*\b(?:price|cost)\b)",
            re.IGNORECASE,
        ),
        re.compile(r"\d|[$€£¥]|\b(?:free|cheap\w*|expensive|nothing|pric\w+|pay\w*|paid|cost\w*|charge\w*|gift|bargain|afford\w*|money|budget|fee|donat\w+)\b", re.IGNORECASE),
        "price",
    ),
    (re.compile(rf"{_OPENING}how (?:many|old|tall|heavy)\b", re.IGNORECASE), re.compile(_ANY_NUMBER, re.IGNORECASE), "number"),
    (
        re.compile(rf"{_OPENING}when (?:did|was|were|will)\b", re.IGNORECASE),
        re.compile(
            r"\d|\b(?:January|February|March|April|May|June|July|August|September|October|November|December|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
            r"|spring|summer|autumn|fall|winter|ago|last|next|after\w*|before|since|until|till|during|once|while|when\w*|today|tomorrow|yesterday"
            r"|now|then|recent\w*|soon\w*|earl\w+|late\w*|mornings?|evenings?|nights?|noon|midnight|weekends?|seconds?|minutes?|hours?|days?|weeks?|months?|years?"
            r"|decades?|centur\w+|Christmas|Easter|birthdays?|childhood|child|school|teenager|always|never|ever|as|if|times?|first|moment|later|age|finally"
            r"|yet|again|already|just|still|beginning|end|on|every)\b",
            re.IGNORECASE,
        ),
        "time",
    ),
)  # fmt: skip


def answers_something_else(candidate: Candidate) -> str:
    """The reason to refuse an answer without the number, time or price that the question asks for; or "".

    Only English questions are understood.
    """
    pair = candidate.pair
    if pair.kind == "refusal" or not evidence_of(candidate.sources).english:
        return ""
    for asked, given, what in _TYPES:
        if asked.search(pair.question) and not given.search(pair.answer) and not number_words(pair.answer):
            return f"the question asks for a {what}, and the answer has none"
    return ""
