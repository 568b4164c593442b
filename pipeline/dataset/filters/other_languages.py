"""Looks by the tables of the languages for faults that `form` knows by English words.

A language without a table, or whose table lacks the words, has no such rule; `stats` of a data set says so.
"""

import re
from functools import cache
from typing import NamedTuple

from pipeline.dataset.filters.evidence import evidence_of
from pipeline.dataset.filters.leftovers import prose
from pipeline.dataset.records import Candidate
from pipeline.text.detecting import main_language
from pipeline.text.languages.tables import Language, PairWords, table
from pipeline.text.pieces import split_sentences
from pipeline.text.words import words, written_words

OWN_KINDS = ("price", "colour")
"""What an answer must hold if the question asks for it. Amounts and days are said in more ways than the tables know."""
FEWEST_WORDS = 4
"""A shorter answer may end in any word."""


def pair_language(candidate: Candidate) -> str:
    """The ISO 639-1 code of the language of a pair's text; "" if it can't be told."""
    return main_language("\n".join(source.text for source in candidate.sources))


def has_rules(language: str) -> bool:
    """Whether the words of the rules for pairs are known in a language."""
    return language in ("", "en") or bool(table(language).pairs.labels)


def fault_elsewhere(candidate: Candidate) -> str:
    """The reason to refuse a pair in another language than English, or ""."""
    language = pair_language(candidate)
    if language in ("", "en") or not table(language).pairs.labels:
        return ""
    rules, pair = table(language), candidate.pair
    answer = "" if pair.kind == "refusal" else pair.answer
    if said := _new(_of(language).declines, answer, candidate.text):
        return f"the answer declines: “{said}”"
    for name, text in (("question", pair.question), ("answer", answer)):
        own = prose(text)
        if label := _new(_of(language).label, own, candidate.text):
            return f"“{label}” is left over in the {name}"
        if pointer := _new(_of(language).points_at_text, own, candidate.text):
            return f"the {name} speaks of “{pointer}”, so it does not stand alone"
    if not answer:
        return ""
    return (
        _of_author(candidate, language) or _open_end(answer, candidate, rules) or _lacks(pair.question, answer, rules)
    )


_ARTICLES = frozenset("der die le la el il o a de".split())
"""Before a word for the author, as in `der Imker`."""


class _Patterns(NamedTuple):
    label: re.Pattern[str]
    points_at_text: re.Pattern[str]
    declines: re.Pattern[str]
    author: re.Pattern[str]
    first_person: re.Pattern[str]


@cache
def _of(language: str) -> _Patterns:
    rules = table(language)
    labels = "|".join(sorted(rules.pairs.labels, key=len, reverse=True))
    return _Patterns(
        re.compile(rf"^\W*(?:{labels})\s*\d*\W{{0,3}}[:：]", re.IGNORECASE | re.MULTILINE),
        rules.pattern(rules.pairs.points_at_text),
        rules.pattern(rules.pairs.declines),
        rules.pattern(rules.pairs.author),
        rules.pattern(rules.pairs.first_person),
    )


def _new(pattern: re.Pattern[str], text: str, known: str) -> str:
    """What of `text` fits `pattern` and does not stand in the text of the pair."""
    hit = pattern.search(text)
    return hit[0].strip() if hit and hit[0].strip().casefold() not in known.casefold() else ""


def _of_author(candidate: Candidate, language: str) -> str:
    patterns = _of(language)
    known = f"{candidate.text}\n{candidate.pair.question}"
    hit = _new(patterns.author, prose(candidate.pair.answer), known)
    speaks = patterns.first_person.search(candidate.text)
    hit = hit or _for_the_author(candidate, table(language).pairs)
    return f"the answer speaks of the author as “{hit}”, not in the first person" if hit and speaks else ""


def _for_the_author(candidate: Candidate, rules: PairWords) -> str:
    """A word for somebody else at the start of a sentence whose words the text has behind a word for the author."""
    evidence = evidence_of(candidate.sources)
    mine = "|".join(sorted(rules.first_person))
    for sentence in split_sentences(prose(candidate.pair.answer)):
        said = words(sentence)
        speaks = any(word in rules.first_person for one in said for word in (one, one.partition("'")[0]))
        subject = 1 if said and said[0] in rules.third_person else 2 if said and said[0] in _ARTICLES else 0
        if not subject or speaks or evidence.says(sentence):
            continue
        # The verb may have another ending: `ich fahre`, `er fährt`.
        for tail in (said[subject : subject + 3], said[subject + 1 : subject + 4]):
            if len(tail) == 3 and re.search(rf" (?:{mine})(?: \S+)? {re.escape(' '.join(tail))} ", evidence.words):
                return " ".join(said[:subject])
    return ""


def _open_end(answer: str, candidate: Candidate, rules: Language) -> str:
    *_, last = ("", *split_sentences(prose(answer)))
    said = [word.lower() for word in written_words(last)]
    if len(said) < FEWEST_WORDS or last.rstrip()[-1:] in ".?!…。？！؟।" or said[-1] not in rules.pairs.open_ends:
        return ""
    return "" if evidence_of(candidate.sources).says(last) else f"the answer breaks off: “…{answer.strip()[-40:]}”"


def _lacks(question: str, answer: str, rules: Language) -> str:
    kind = rules.asked_kind(question)
    holds = rules.holds_kind(kind) if kind in OWN_KINDS and kind else None
    if holds is None or holds.search(answer) or any(map(str.isdigit, answer)):
        return ""
    return f"the question asks for a {kind}, and the answer has none"
