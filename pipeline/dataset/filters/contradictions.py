"""Finds English answers that use the text's words but contradict it."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from pipeline.dataset.filters.evidence import PairEvidence, shortened
from pipeline.dataset.records import Pair
from pipeline.text.statements import Statement, clauses, halves, has_negation, statement
from pipeline.text.words import content_stems, coverage, words

SAME_STATEMENT = 0.75
"""Two sentences speak of the same thing if one covers this share of the other's content words."""
SMALLER_SHARE = 0.67
"""The one that says more must be covered by so much."""
CLEARLY = 0.2
"""A sentence of the text must fit by so much better before it counts against the answer."""

_OPPOSITES = tuple(
    tuple(pair.split("/"))
    for pair in (
        "public/private always/never before/after above/below more/less more/fewer most/least higher/lower highest/lowest "
        "larger/smaller longer/shorter faster/slower quicker/slower better/worse best/worst first/last older/newer "
        "old/new on/off up/down left/right top/bottom start/stop starts/stops begins/ends enable/disable enabled/disabled "
        "allow/forbid allowed/forbidden include/exclude includes/excludes increase/decrease rises/falls rising/falling "
        "true/false early/late online/offline hot/cold easy/hard cheap/expensive good/bad like/dislike love/hate "
        "everyone/nobody all/none with/without required/optional safe/unsafe possible/impossible"
    ).split()
)
_PREPOSITIONS = frozenset("with without before after above below".split())
"""They contradict only what the text has behind the opposite: `without a password`, `with a password`."""
_CONNECTIVE = re.compile(r"\b(?:before|after) (?:that|this|which|all|then)\b", re.IGNORECASE)
"""`After that I was fast` says nothing of an order that the text could contradict."""
_POINTS_BACK = re.compile(r"\W*(?:this|that|it|these|they|both)\b", re.IGNORECASE)
_LIMITS = re.compile(r"\b(?:only|unless|except|instead)\b", re.IGNORECASE)
_YES_OR_NO = re.compile(r"^\W*(yes|no)\b\s*(?:[,.!;:—–-]|$)\s*", re.IGNORECASE)


def contradiction(pair: Pair, said: Sequence[Statement], evidence: PairEvidence) -> str:
    """The reason why the text contradicts one of the answer's sentences `said`; "" if it contradicts none."""
    about = frozenset(content_stems(pair.question))
    for sentence in said:
        if opening := _YES_OR_NO.match(sentence.text):
            sentence = statement(sentence.text[opening.end() :])
        if found := _other_number(sentence, about, evidence) or _opposite_word(sentence, evidence):
            return found
        for half in halves(sentence.text):
            if found := _other_name(half, evidence):
                return found
        for clause in clauses(sentence.text):
            if found := _other_polarity(clause, sentence, evidence):
                return found
    hit = _YES_OR_NO.match(pair.answer)
    if hit and " or " not in pair.question and len(clauses(pair.question)) == 1:
        return _wrong_yes(statement(pair.question), hit[1].lower() == "yes", evidence)
    return ""


def _other_number(sentence: Statement, about: frozenset[str], evidence: PairEvidence) -> str:
    """The reason if a number of the answer belongs to something else in the text."""
    wanted = {word for word in sentence.stems | about if not word[0].isdigit()}
    for number in sorted(sentence.numbers):
        fits = [(coverage(wanted, other.stems), other) for other in evidence.halves if other.numbers]
        here = max((fit for fit, other in fits if number in other.numbers), default=None)
        if here is None or len(wanted) < 2:
            continue
        best, other = max(
            ((fit, o) for fit, o in fits if number not in o.numbers), key=lambda f: f[0], default=(0, sentence)
        )
        if best >= SAME_STATEMENT - CLEARLY and best >= here + CLEARLY:
            return f"the text says {number} of something else; of this it says “{shortened(other.text)}”"
    return ""


def _opposite_word(sentence: Statement, evidence: PairEvidence) -> str:
    order = words(_CONNECTIVE.sub("", sentence.text))
    said = set(order)
    for mine, opposite in _opposites():
        if mine not in said or opposite in said:
            continue
        if mine in _PREPOSITIONS and not evidence.has((opposite, *order[order.index(mine) + 1 :][:1])):
            continue
        wanted = sentence.stems - set(content_stems(mine))
        alike = [other for other in evidence.sentences if coverage(wanted, other.stems) >= SAME_STATEMENT]
        if len(wanted) < 2 or not alike or any(mine in words(other.text) for other in alike):
            continue
        if against := next((other for other in alike if opposite in words(other.text)), None):
            return f"the answer says “{mine}”, the text “{opposite}”: “{shortened(against.text)}”"
    return ""


def _other_polarity(clause: Statement, sentence: Statement, evidence: PairEvidence) -> str:
    """The reason if answer and text make the same statement, once affirmed and once negated.

    A "not" may reach over an enumeration, so one of the two sentences must have no negation at all.
    """
    plain = not has_negation(sentence.text)
    alike = [
        (other, unnegated)
        for other, unnegated in zip(evidence.clauses, evidence.unnegated, strict=True)
        if _alike(clause.stems, other.stems)
    ]
    if alike and all(other.negative != clause.negative and (plain or unnegated) for other, unnegated in alike):
        return f"the text says the opposite: “{shortened(alike[0][0].text)}”"
    return ""


def _wrong_yes(question: Statement, yes: bool, evidence: PairEvidence) -> str:
    alike = [other for other in evidence.clauses if _alike(question.stems, other.stems)]
    says_yes = not question.negative
    if any(_LIMITS.search(other.text) for other in alike):
        # `No, only within one search` says what the text says.
        return ""
    if alike and all((other.negative != says_yes) != yes for other in alike):
        return f"the text says the opposite: “{shortened(alike[0].text)}”"
    return ""


def _other_name(half: Statement, evidence: PairEvidence) -> str:
    """The reason if the text makes the same statement with another name or number."""
    mine = half.named | half.numbers
    for name in sorted(half.named):
        composed = {word for word in half.stems if name in re.split(r"[\W_]", word)}
        # A name at the end is rarely the subject of a statement: `as long as index.chunk_chars`.
        if words(half.text)[-1:] and name in re.split(r"[\W_]", words(half.text)[-1]) and len(half.stems) > 3:
            continue
        wanted = half.stems - composed - {part for word in composed for part in re.split(r"[\W_]", word)}
        here = max((coverage(wanted, other.stems) for other in evidence.halves if name in other.stems), default=0.0)
        if len(wanted) < 2 or (len(wanted) == 2 and here > 0):
            continue
        for other in evidence.halves:
            fit = coverage(wanted, other.stems)
            if (
                name not in other.stems
                and (other.named | other.numbers) - mine
                and fit >= max(SAME_STATEMENT, here + CLEARLY)
                and not _goes_on_about(name, other, evidence)
            ):
                return f"the text says that of something else: “{shortened(other.text)}”"
    return ""


def _goes_on_about(name: str, other: Statement, evidence: PairEvidence) -> bool:
    """Whether the sentence after that of `other` says of it, as `this`, something with the name."""
    return any(
        name in following.stems and other.text in before.text and _POINTS_BACK.match(following.text)
        for before, following in pairwise(evidence.sentences)
    )


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two statements speak of the same thing; one may say a little more."""
    fits = sorted((coverage(one, other), coverage(other, one)))
    return min(len(one), len(other)) >= 2 and fits[0] >= SMALLER_SHARE and fits[1] >= SAME_STATEMENT


def _opposites() -> Iterator[tuple[str, str]]:
    for one, other in _OPPOSITES:
        yield one, other
        yield other, one
