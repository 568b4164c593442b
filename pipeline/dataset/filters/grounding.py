"""Checks without a model whether the text supports the answer and does not contradict it."""

from collections.abc import Collection, Sequence
from itertools import combinations

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
_FILLERS = frozenset(
    content_stems(
        "absolutely actually ago almost anyway approximately basically bit certainly course definitely downside enough especially"
        " example generally got honestly however instead kind lot mainly maybe mostly nearly normally often perhaps plenty plus pretty"
        " probably quite rather really reason roughly simply sometimes somewhat sorry sort still sure thing things though together total"
        " true usually way well yet wrong"
    )
)
"""Words with which one speaks, and that state nothing."""
MOST_ADDED = 8
"""So many numbers of an answer are tried as parts of a sum."""
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
    lacking = [number for number in lacking if not _is_sum(number, said, known)]
    if not lacking and evidence.english:
        counted = max(COUNTS, evidence.longest_list)
        words = [item for sentence in said for item in number_words(sentence.text).items()]
        lacking = [word for value, word in words if value not in known and int(value) > counted]
    return f"the answer's number {lacking[0]} is not in the text" if lacking else ""


def _is_sum(number: str, said: Sequence[Statement], known: Collection[str]) -> bool:
    """Whether the answer adds up two or three of the text's numbers, and gives them too: `175 in total, 140 and 35`."""
    given = [float(one) for sentence in said for one in sentence.numbers if one in known and one.count(".") < 2]
    wanted = float(number) if number.count(".") < 2 and ":" not in number else -1.0
    sums = (sum(some) for size in (2, 3) for some in combinations(given[:MOST_ADDED], size))
    return any(abs(wanted - total) < 1e-6 for total in sums)


def _unknown_name(pair: Pair, said: Sequence[Statement], evidence: PairEvidence) -> str:
    asked = set(content_stems(pair.question)) | named(pair.question)
    for sentence in said:
        for word in sorted(sentence.named):
            if not _is_held(word, evidence) and word not in asked and not _is_noun_elsewhere(word, sentence, evidence):
                return f"the answer names “{as_written(word, sentence.text)}”, which is not in the text"
    return ""


def _unsaid(pair: Pair, said: Sequence[Statement], evidence: PairEvidence) -> str:
    asked = set(content_stems(pair.question)) | _FILLERS
    counted = {word for value, word in number_words(pair.answer).items() if value in evidence.numbers}
    least = LEAST_COVERED if evidence.english else LEAST_COVERED_ELSEWHERE
    is_one = len(statements(pair.answer)) == 1
    for sentence in said:
        lacking = [word for word in sorted(sentence.stems) if not evidence.holds(word)]
        new = [word for word in lacking if not coverage([word], asked) and word not in counted]
        if len(sentence.stems) < ENOUGH_WORDS and len(new) < len(sentence.stems):
            continue
        if len(sentence.stems) == 1 and not is_one:
            # `It just wasn't good for me.` adds nothing to what the other sentences say.
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
