"""Finds answers that lack what the question asks for: a number for `how many`, a time for `when`, or the sentence of it."""

import re
from collections.abc import Sequence

from pipeline.dataset.filters.evidence import evidence_of, shortened
from pipeline.dataset.records import Candidate
from pipeline.text.numbers import number_words
from pipeline.text.pieces import split_sentences
from pipeline.text.words import content_stems, coverage, stems_with_parts, words

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

ENOUGH_WORDS = 6
"""Fewest words of an answer of which is asked whether it quotes the wrong sentence."""
FEWEST_WORDS = 4
"""Fewest words of the sentence that answers better: less is a heading."""
FEWEST_ASKED = 2
"""With a single word, only an answer of whole sentences is judged. A teacher that quotes a part of one has chosen it."""
_ASKING = frozenset(
    content_stems(
        "think thoughts know tell say write speak question opinion view feel experience plan plans mean like love enjoy good bad trouble downside"
        " want next still do use make get have go going new first step steps way best recommend time thing work when it comes regarding about"
    )
)
"""Words that only ask."""


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
    return _another_sentence(candidate)


def _holds_any(sentence: str, parts: Sequence[Sequence[str]]) -> bool:
    """Whether the sentence contains one of `parts`: then the answer quotes it."""
    whole = f" {' '.join(words(sentence))} "
    return any(f" {' '.join(part)} " in whole for part in parts)


def _another_sentence(candidate: Candidate) -> str:
    """The reason if an answer quotes sentences without a word of the question, and another one of the text has them all.

    An answer in other words is not judged: `15 minutes, unless you change it` needs none of the question's words. Nor are
    words of title and heading, which the sentences below need not repeat.
    """
    evidence = evidence_of(candidate.sources)
    answer = candidate.pair.answer
    # A reason, a way or a meaning stands in the sentence after the one that names the thing.
    is_explained = re.search(r"\b(?:why|how|mean)\b", candidate.pair.question, re.IGNORECASE)
    if is_explained or len(answer.split()) < ENOUGH_WORDS or not all(map(evidence.says, split_sentences(answer))):
        return ""
    known = stems_with_parts(" ".join(f"{source.title} {source.heading}" for source in candidate.sources))
    asked = {word for word in content_stems(candidate.pair.question) if evidence.holds(word)} - known - _ASKING
    if not asked or coverage(asked, stems_with_parts(answer)):
        return ""
    own = [words(sentence) for sentence in split_sentences(answer)]
    if len(asked) < FEWEST_ASKED and not all(f" {' '.join(part)} " in evidence.bare_sentences for part in own):
        return ""
    told = (one for one in evidence.sentences if len(one.text.split()) >= FEWEST_WORDS and not one.text.endswith("?"))
    other = next((one for one in told if coverage(asked, one.stems) == 1 and not _holds_any(one.text, own)), None)
    return f"another sentence of the text answers it: “{shortened(other.text)}”" if other else ""
