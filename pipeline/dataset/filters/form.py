"""Checks a pair's form: too short or too long, no question, no answer, or not clear on its own."""

import re

from pipeline.dataset.filters.answer_type import answers_something_else
from pipeline.dataset.filters.broken import broken
from pipeline.dataset.filters.evidence import evidence_of, shortened
from pipeline.dataset.filters.leftovers import left_over
from pipeline.dataset.filters.other_languages import fault_elsewhere
from pipeline.dataset.filters.speaker import third_person
from pipeline.dataset.records import Candidate, Pair
from pipeline.settings import DatasetSettings, PairKind
from pipeline.text.detecting import without_spaces
from pipeline.text.function_words import FUNCTION_WORDS
from pipeline.text.pieces import split_sentences
from pipeline.text.words import content_stems, words

QUESTION_CHARS = (10, 300)
"""Fewest and most characters of a question."""
ANSWER_CHARS: dict[PairKind, tuple[int, int]] = {
    "fact": (2, 1200),
    "how-to": (10, 2400),
    "synthesis": (20, 2400),
    "voice": (20, 1600),
}
"""Fewest and most characters of an answer. A fact may be a number; a procedure has steps. All refusals have one answer."""

_ASKING = re.compile(
    # An interrogative or an auxiliary at the start of any clause, or a polite request.
    r"(?:^|[,:;.–—]\s*|\b(?:and|but|or|so|if|when|for|in|on|at|to|of|with|from|about|under|by)\s+)"
    r"(?:how|what|when|where|which|who|whom|whose|why|am|are|can|could|did|do|does|had|has|have|is|may|might|must|shall|"
    r"should|was|were|will|would|isn't|aren't|can't|don't|doesn't|didn't|tell me|explain|describe|name|list)\b",
    re.IGNORECASE,
)
_TEXT = r"(?:text|passage|excerpt|snippet|context|paragraph|section|document|article|chunk|source text|author|writer|speaker|narrator)"
_POINTS_AT_TEXT = (
    re.compile(rf"\b(?:this|that|given|provided|above|following|preceding|present) {_TEXT}\b", re.IGNORECASE),
    re.compile(r"\b(?:the )?(?:given|provided|above|following) (?:text|passage|context|key|code|table)\b", re.IGNORECASE),
    re.compile(rf"\b(?:according to|based on|as (?:stated|described|mentioned|noted|outlined) in) the {_TEXT}\b", re.IGNORECASE),
    re.compile(rf"\bthe {_TEXT} (?:say|state|mention|describe|suggest|recommend|explain|provide|discuss|note|argue|think|"
               r"claim|use|like|prefer|give|list|show|advise|tell|refer|write|do|feel)(?:s|es)?\b", re.IGNORECASE),
    re.compile(rf"^(?:do|does|did|has|is|was) the {_TEXT}\b", re.IGNORECASE),
    re.compile(r"\b(?:described|mentioned|listed|shown|given|discussed|stated|suggested) (?:here|above|below)\b", re.IGNORECASE),
    re.compile(r"\bin this (?:guide|post|note|page|table|list|example|chapter|blog post)\b", re.IGNORECASE),
    re.compile(r"\bdoes the (?:table|list|code block|example) (?:say|show|provide|contain|give|list)\b", re.IGNORECASE),
)  # fmt: skip
_MAY_POINT = re.compile(
    r"\b(?:in|from|of|by) the (?:text|passage|excerpt|snippet|context|paragraph|article|section|author)\b(?!\s*(?:of\b|[`“\"«\[]|[A-Z]))"
)
_POINTERS = frozenset(
    "it they them he him she her his hers this that these those its their theirs there here such".split()
)
_SHOWN = re.compile(
    # "Such a precise tube" says itself what it is about.
    r"\b(?:this|these|those|such an?(?=\W+\w+\W*$)) "
    r"(?!(?:site|blog|website|page|year|month|week|day|time|morning|evening|way|kind|sort)s?\b)"
    r"(?P<what>(?!(?:is|are|was|were|do|does|can|in|on|at|with|for|and|or|to|mean|happen)\b)[a-z]{3,})",
    re.IGNORECASE,
)
_STARTS_INSIDE = re.compile(r"^(?:and|but|so|then|also|or)\b", re.IGNORECASE)
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|`[^`]*`")
_DECLINES = re.compile(
    r"\b(?:text|passage|context|document|article|excerpt|notes?) (?:does|do|did)(?: not|n't) (?:say|mention|state|specify|"
    r"provide|contain|give|tell|explain|answer)|\b(?:i'm sorry|i am sorry|as an ai)\b|\bcan(?:not|'t) (?:be )?answer(?:ed)?\b|"
    r"\bnot (?:specified|mentioned|stated|provided|given|in the text|in these notes)\b(?:\W*$| in the)|"
    r"\bno information (?:is )?(?:given|provided|available)\b",
    re.IGNORECASE,
)  # fmt: skip


def length(candidate: Candidate, settings: DatasetSettings) -> str:
    """The reason to refuse questions and answers that are too short or too long; "" if there is none."""
    pair = candidate.pair
    if found := _outside("question", pair.question, QUESTION_CHARS):
        return found
    if len(words(pair.question)) < 2 and not without_spaces(pair.question):
        return "the question is a single word"
    if pair.kind == "refusal":
        return ""
    if found := _outside("answer", pair.answer, ANSWER_CHARS[pair.kind]):
        return found
    return "" if words(pair.answer) else "the answer has no word"


def form(candidate: Candidate, settings: DatasetSettings) -> str:
    """The reason to refuse a pair that asks nothing, needs the text, answers nothing, or was badly written; or ""."""
    pair = candidate.pair
    if rest := left_over(candidate):
        return rest
    if not _asks(pair.question):
        return "the question asks nothing"
    answer = "" if pair.kind == "refusal" else pair.answer
    if hit := _declines(answer, candidate):
        return f"the answer declines: “{hit}”"
    for name, text in (("question", pair.question), ("answer", answer)):
        if words_of_it := _pointing(text, candidate):
            return f"the {name} speaks of “{words_of_it}”, so it does not stand alone"
    if pronoun := unclear(pair.question):
        return f"the question does not say what “{pronoun}” is, so it does not stand alone"
    return (
        fault_elsewhere(candidate)
        or _repeats(answer)
        or broken(candidate)
        or third_person(candidate)
        or answers_something_else(candidate)
        or ("" if _is_said(answer, candidate) else _says_nothing(pair))
    )


def _outside(name: str, text: str, limits: tuple[int, int]) -> str:
    # One character of Chinese, Japanese or Korean counts as three.
    length = len(text.strip()) * (3 if without_spaces(text) else 1)
    if limits[0] <= length <= limits[1]:
        return ""
    than = "too few" if length < limits[0] else "too many"
    return f"the {name} has {len(text.strip())} characters, {than}"


def _asks(question: str) -> bool:
    ending = question.rstrip('*_`"”») ')
    # A question mark asks in every language. Without one, only English questions are recognised.
    if ending.endswith(("?", "？", "؟", "\u037e")):
        return True
    return (_ASKING.match(ending) if ending.endswith((".", "!")) else _ASKING.search(ending)) is not None


def _declines(answer: str, candidate: Candidate) -> str:
    """The answer's words that decline to answer; "" if it does not decline."""
    hit = _DECLINES.search(answer)
    return hit[0] if hit and not _is_said(answer, candidate) else ""


def _is_said(answer: str, candidate: Candidate) -> bool:
    """Whether every sentence of the answer is the text's own. Then "the text" in it may be the author's subject."""
    evidence = evidence_of(candidate.sources)
    return all(evidence.says(sentence) for sentence in split_sentences(answer))


def _pointing(text: str, candidate: Candidate) -> str:
    """The words that point at the text. They are ignored if title or heading contain them: then they are the subject."""
    named = " ".join(f"{source.title} {source.heading}" for source in candidate.sources).casefold()
    patterns = _POINTS_AT_TEXT if _is_said(text, candidate) else (*_POINTS_AT_TEXT, _MAY_POINT)
    hits = (hit[0] for pattern in patterns for hit in pattern.finditer(text))
    return next((hit for hit in hits if hit.casefold() not in named), "")


def unclear(question: str) -> str:
    """A pronoun in a question that names nothing the pronoun could stand for; "" if there is none."""
    question = _QUOTED.sub("“…”", question)
    if hit := _STARTS_INSIDE.match(question):
        return hit[0]
    shown = _SHOWN.search(question)
    if shown and shown["what"].casefold() not in question[: shown.start()].casefold():
        return shown[0]
    asked = words(question)
    first = next((position for position, word in enumerate(asked) if word in _POINTERS), None)
    if first is None or any(_has_meaning(asked, position) for position in range(first)):
        return ""
    if asked[first] in ("this", "that", "these", "those", "such", "his", "her", "its", "their"):
        return " ".join(asked[first : first + 2])
    # The pronouns of "Is it safe to …" and "is there …" stand for nothing.
    if asked[first] in ("it", "there", "here") and re.search(
        r"\b(?:is|was|does|did|will|would|can|are|were|do|has)\s+(?:it|there|here)\b.*\b(?:to|when|that|if|for|a|an|any|of)\b",
        question,
        re.IGNORECASE,
    ):
        return ""
    return asked[first] if not _names_later(asked[first + 1 :]) else ""


def _has_meaning(asked: list[str], position: int) -> bool:
    """Whether a later pronoun may stand for this word. `long` in `how long` is no such word."""
    return asked[position] not in FUNCTION_WORDS and asked[max(0, position - 1)] != "how"


def _names_later(rest: list[str]) -> bool:
    """Whether the words after a pronoun say what the question is about: three of them have a meaning."""
    return sum(word not in FUNCTION_WORDS for word in rest) >= 3


def _repeats(answer: str) -> str:
    """The reason if a sentence stands in the answer twice, as models do that have lost the thread."""
    said = [sentence for sentence in split_sentences(answer) if len(words(sentence)) > 3]
    twice = next((sentence for position, sentence in enumerate(said) if sentence in said[:position]), "")
    return f"the answer says “{shortened(twice)}” twice" if twice else ""


def _says_nothing(pair: Pair) -> str:
    asked, said = content_stems(pair.question), content_stems(pair.answer)
    if said and set(said) <= set(asked):
        short = len(said) <= 2 and re.match(r"\W*(?:yes|no)\b", pair.answer, re.IGNORECASE)
        chosen = len(set(said)) < len(set(asked)) / 2 or " or " in pair.question
        if not short and not chosen:
            return "the answer only repeats the question"
    return ""
