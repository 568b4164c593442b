"""Finds golden questions that measure nothing: leaked, doubled, stale, ambiguous, or answered although they should not be."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel

from pipeline.chat.refusing import NOT_IN_NOTES
from pipeline.dataset.filters.duplicates import asks_the_same
from pipeline.dataset.filters.form import unclear
from pipeline.dataset.filters.grounding import grounding
from pipeline.dataset.records import Candidate, Pair, PairJudge, PairSource
from pipeline.evaluation.golden import GoldenQuestion, Why, contains, is_page, says
from pipeline.index.passages import Passage
from pipeline.settings import DatasetSettings

Fault = Literal["leaked", "ambiguous", "stale", "answerable", "doubled"]
"""What is wrong with a question.

- `leaked`: the adapter was trained on it, so a right answer shows memory.
- `ambiguous`: a right answer can be counted as wrong, or a wrong one as right.
- `stale`: its page is gone, or no longer holds the fact.
- `answerable`: it is said to have no answer, but the notes seem to hold one.
- `doubled`: another question asks the same, so that it counts twice.
"""

BY_NATURE: tuple[Why | None, ...] = ("false_premise", "underspecified", "contradiction")
"""Unanswerable questions whose words stand in the notes: that proves nothing."""
LEAST_FAITHFUL = 4
"""A judge's grade for "the notes do not say" below which it thinks that they do."""


class Finding(BaseModel):
    """One fault of one question."""

    number: int
    """Its place in the file, from 1; blank lines don't count."""
    question: str
    fault: Fault
    reason: str
    """What is wrong, and what mends it."""


def check(
    questions: Sequence[GoldenQuestion],
    documents: Mapping[str, str],
    trained: Sequence[str],
    embed: Callable[[Sequence[str]], np.ndarray],
    search: Callable[[str], Sequence[Passage]],
) -> list[Finding]:
    """All faults that can be found without a model, in the questions' order.

    A question of kind `paraphrase` asks in other words what was trained on, so it leaks only word for word.

    Args:
        questions: the golden questions.
        documents: the texts of all notes, by the document's id.
        trained: the questions of the data set's training split.
        embed: returns unit vectors, float32 (texts, dimension).
        search: returns the passages that are found for a question, the best first.
    """
    found: list[Finding] = []
    for place, question in enumerate(questions):
        reasons: list[tuple[Fault, str]] = [
            *(("stale", reason) for reason in _stale(question, documents)),
            *(("ambiguous", reason) for reason in _ambiguous(question, documents, search)),
        ]
        if reason := _answered(question, search):
            reasons.append(("answerable", reason))
        found += [_finding(place, question, fault, reason) for fault, reason in reasons]
    found += _repeated(questions, trained, embed)
    return sorted(found, key=lambda finding: finding.number)


async def judged(
    questions: Sequence[GoldenQuestion], judge: PairJudge, search: Callable[[str], Sequence[Passage]]
) -> list[Finding]:
    """The unanswerable questions that `judge` finds answered by a passage that is found for them.

    Raises:
        SitetwinError: the model can't be reached, or its answer can't be read.
    """
    found = []
    for place, question in enumerate(questions):
        if question.answerable or question.why in BY_NATURE:
            continue
        if passages := search(question.question):
            judgement = await judge.judge(_refusal(question, passages))
            if judgement.faithful < LEAST_FAITHFUL:
                said = f" ({judgement.reason})" if judgement.reason else ""
                reason = (
                    f"the judge finds an answer in {passages[0].document}{said}: give it a fact and a page, or drop it"
                )
                found.append(_finding(place, question, "answerable", reason))
    return found


def _stale(question: GoldenQuestion, documents: Mapping[str, str]) -> Iterator[str]:
    texts = []
    for page in question.page:
        held = [text for document, text in documents.items() if is_page(document, page)]
        texts += held
        if not held:
            yield f"the page {page} is gone: name another one, or drop the question"
    if texts or not question.page:
        for fact in question.groups:
            if texts and not any(says(text, fact) for text in texts):
                pages = ", ".join(question.page)
                yield f"“{fact[0]}” no longer stands in {pages}: write what stands there now, or drop the question"


def _ambiguous(
    question: GoldenQuestion, documents: Mapping[str, str], search: Callable[[str], Sequence[Passage]]
) -> Iterator[str]:
    for page in question.page:
        held = [document for document in documents if is_page(document, page)]
        if len(held) > 1:
            yield f"{page} names {len(held)} documents ({held[0]}, {held[1]}): write more of its path"
    for fact in question.groups:
        if clash := next((no for no in (*question.must_not, *question.stale) for one in fact if contains(one, no)), ""):
            yield f"“{clash}” must not be in the answer, but is part of the fact “{fact[0]}”: change one of them"
        if question.answerable and (given := next((one for one in fact if contains(question.question, one)), "")):
            yield f"the question itself says “{given}”, so an answer that repeats it is right: ask in other words"
    if not question.answerable:
        return
    if question.kind != "voice" and (pronoun := unclear(question.question)):
        yield f"it does not say what “{pronoun}” is: name it"
    elsewhere = [passage for passage in search(question.question) if not _is_named(passage, question)]
    if question.groups and question.kind != "synthesis":
        for passage in elsewhere:
            if all(says(passage.text, fact) for fact in question.groups):
                yield f"{passage.document} seems to answer it too: add it to page, or ask more exactly"
                return


def _answered(question: GoldenQuestion, search: Callable[[str], Sequence[Passage]]) -> str:
    if question.answerable or question.why in BY_NATURE:
        return ""
    for passage in search(question.question):
        if reason := grounding(_refusal(question, [passage]), DatasetSettings()):
            return f"{passage.document}: {reason}; give it a fact and a page, or ask what the notes do not say"
    return ""


def _repeated(
    questions: Sequence[GoldenQuestion], trained: Sequence[str], embed: Callable[[Sequence[str]], np.ndarray]
) -> Iterator[Finding]:
    if not questions:
        return
    asked = [question.question for question in questions]
    vectors = embed([*asked, *trained])
    cosines = vectors[: len(asked)] @ vectors.T
    for place, question in enumerate(questions):
        twins = (n for n in range(place) if asks_the_same(asked[place], asked[n], float(cosines[place, n])))
        if (twin := next(twins, None)) is not None:
            yield _finding(place, question, "doubled", f"question {twin + 1} asks the same: drop one of them")
        for number, other in enumerate(trained, len(asked)):
            cosine = -1.0 if question.kind == "paraphrase" else float(cosines[place, number])
            if asks_the_same(asked[place], other, cosine):
                yield _finding(
                    place,
                    question,
                    "leaked",
                    f"the adapter was trained on “{other}”: ask something else, or in other words",
                )
                break


def _refusal(question: GoldenQuestion, passages: Sequence[Passage]) -> Candidate:
    """The pair that declines the question, as the data set's filter and judge read it."""
    sources = tuple(
        PairSource(
            passage.id, passage.document, 0, passage.title, passage.heading, passage.text, passage.visibility
        )
        for passage in passages
    )  # fmt: skip
    pair = Pair(
        question=question.question, answer=NOT_IN_NOTES, kind="refusal", source=passages[0].document, chunk_index=0,
        chunks=tuple(passage.id for passage in passages), accuracy=10, style=10,
    )  # fmt: skip
    return Candidate(pair, sources)


def _is_named(passage: Passage, question: GoldenQuestion) -> bool:
    return any(is_page(passage.document, page) for page in question.page)


def _finding(place: int, question: GoldenQuestion, fault: Fault, reason: str) -> Finding:
    return Finding(number=place + 1, question=question.question, fault=fault, reason=reason)
