"""Checks without a model whether the text supports the answer and does not contradict it."""

from collections.abc import Sequence

from pipeline.dataset.filters.contradictions import contradiction
from pipeline.dataset.filters.evidence import PairEvidence, evidence_of, shortened
from pipeline.dataset.filters.units import changed_unit
from pipeline.dataset.records import Candidate, Pair
from pipeline.settings import DatasetSettings
from pipeline.text.names import as_written, named
from pipeline.text.numbers import number_words, numbers
from pipeline.text.statements import Statement, statements
from pipeline.text.words import content_stems, coverage

LEAST_COVERED = 0.5
"""Least share of a sentence's content words that must be in the text or in the question."""
LEAST_COVERED_ELSEWHERE = 0.3
"""The same for languages other than English, whose function words and endings are not known here."""
ENOUGH_WORDS = 3
"""Fewest content words of a sentence for which its share counts."""
COUNTS = 3
"""A number in words up to this one may count an enumeration of the text, or be a turn of phrase."""


def grounding(candidate: Candidate, settings: DatasetSettings) -> str:
    """The reason to refuse an answer with a number, unit, name or statement that is not in the text, or "".

    A refusal is refused if the text answers the question.
    """
    evidence = evidence_of(candidate.sources)
    if candidate.pair.kind == "refusal":
        return _answered(candidate.pair, evidence)
    said = [sentence for sentence in statements(candidate.pair.answer) if not evidence.says(sentence.text)]
    return (
        _unknown_number(candidate.pair, said, evidence)
        or changed_unit(candidate)
        or _unknown_name(candidate.pair, said, evidence)
        or _unsaid(candidate.pair, said, evidence)
        or (contradiction(candidate.pair, said, evidence) if evidence.english else "")
    )


def _unknown_number(pair: Pair, said: Sequence[Statement], evidence: PairEvidence) -> str:
    known = evidence.numbers | numbers(pair.question) | number_words(pair.question).keys()
    lacking = sorted({number for sentence in said for number in sentence.numbers} - known)
    if not lacking and evidence.english:
        counted = max(COUNTS, evidence.longest_list)
        words = [item for sentence in said for item in number_words(sentence.text).items()]
        lacking = [word for value, word in words if value not in known and int(value) > counted]
    return f"the answer's number {lacking[0]} is not in the text" if lacking else ""


def _unknown_name(pair: Pair, said: Sequence[Statement], evidence: PairEvidence) -> str:
    asked = set(content_stems(pair.question)) | named(pair.question)
    for sentence in said:
        for word in sorted(sentence.named):
            if not _is_held(word, evidence) and word not in asked and not _is_noun_elsewhere(word, sentence, evidence):
                return f"the answer names “{as_written(word, sentence.text)}”, which is not in the text"
    return ""


def _unsaid(pair: Pair, said: Sequence[Statement], evidence: PairEvidence) -> str:
    asked = set(content_stems(pair.question))
    least = LEAST_COVERED if evidence.english else LEAST_COVERED_ELSEWHERE
    for sentence in said:
        lacking = [word for word in sorted(sentence.stems) if not evidence.holds(word)]
        new = [word for word in lacking if not coverage([word], asked)]
        if len(sentence.stems) < ENOUGH_WORDS and len(new) < len(sentence.stems):
            continue
        if len(new) > (1 - least) * len(sentence.stems):
            shown = ", ".join(as_written(word, sentence.text) for word in new[:4])
            return f"most of “{shortened(sentence.text)}” is not in the text ({shown})"
    return ""


def _answered(pair: Pair, evidence: PairEvidence) -> str:
    """The reason against a refusal: a sentence of the text contains all that is asked for."""
    asked = set(content_stems(pair.question))
    if len(asked) < ENOUGH_WORDS:
        return ""
    for sentence in evidence.sentences:
        if coverage(asked, sentence.stems) == 1:
            return f"the text may answer it: “{shortened(sentence.text)}”"
    return ""


def _is_held(word: str, evidence: PairEvidence) -> bool:
    return word in evidence.stems or word.removesuffix("s") in evidence.stems or word in evidence.numbers


def _is_noun_elsewhere(word: str, sentence: Statement, evidence: PairEvidence) -> bool:
    """Whether a capitalised word may be a plain noun, as in German, where every noun has a capital."""
    return not evidence.english and as_written(word, sentence.text)[1:].islower()
