"""Scores how well an adapter answers questions that it was not trained on.

The running engine is asked, so no second copy of the weights is loaded.
"""

import random
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from pydantic import BaseModel, ConfigDict

from pipeline.adapters import BASE
from pipeline.chat import Answer
from pipeline.dataset import versions
from pipeline.dataset.records import Split
from pipeline.dataset.voice.pairs import is_of_voice
from pipeline.errors import SitetwinError
from pipeline.evaluation import golden
from pipeline.evaluation.comparing import AnswerScores, ScoredAnswer, mean
from pipeline.evaluation.measures.reference import token_f1
from pipeline.settings import Settings
from pipeline.site import Site
from pipeline.text.names import named
from pipeline.text.numbers import numbers
from pipeline.text.words import stems_with_parts

LONGEST_ANSWER = 160
"""The most tokens of an answer. The pairs' answers are a few sentences long."""
PARALLEL = 4
"""The questions asked at a time. The engine computes them as one batch, and chats beside it keep their turn."""


class Held(BaseModel):
    """A question, and what a right answer says."""

    model_config = ConfigDict(frozen=True)

    question: str
    kind: str
    """A `PairKind`, or `golden`."""
    reference: str = ""
    """The pair's answer; empty for a golden question."""
    facts: tuple[golden.Group, ...] = ()
    """For a golden question: the answer must contain one string of each."""
    must_not: golden.Group = ()
    """For a golden question: the answer must contain none of these."""
    document: str = ""
    """The id of the document that the pair was made from."""


class CancelledError(SitetwinError):
    """The evaluation was cancelled."""


def questions(settings: Settings, data_set: int | None, limit: int = 60, seed: int = 0) -> list[Held]:
    """The owner's golden questions, filled up to `limit` with pairs of the data set's test split. None was trained on.

    Golden questions of kind voice are left out: they have no fact to score.

    Args:
        settings: the site's settings.
        data_set: its version; None: the newest, if there is one.
        limit: the most questions.
        seed: chooses the questions if there are more than `limit`.

    Raises:
        SitetwinError: there is no such data set, or the file of golden questions can't be read.
    """
    asked = [_held(one) for one in golden.golden_questions(settings) if one.kind != "voice"]
    chosen = _sample(asked, limit, seed)
    if data_set is None and not versions.versions(settings):
        return chosen
    return [*chosen, *_sample(_pairs(settings, data_set, "test"), limit - len(chosen), seed)]


def seen(settings: Settings, data_set: int | None, limit: int = 60, seed: int = 0) -> list[Held]:
    """At most `limit` pairs that were trained on, to see what an adapter has learnt by heart. Takes what `questions` takes.

    Raises:
        SitetwinError: there is no such data set.
    """
    return _sample(_pairs(settings, data_set, "train"), limit, seed)


def score(
    settings: Settings,
    adapter: str | None,
    questions: Sequence[Held],
    *,
    on_answer: Callable[[ScoredAnswer], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> AnswerScores:
    """The adapter's answers in mode lora at temperature 0, each with its score.

    Args:
        settings: the site's settings.
        adapter: its name; None: the base, which gets the same words before the question.
        questions: the questions; those without a reference or a fact are left out: mode lora reads no notes to refuse by.
        on_answer: is told of each answer when it comes, never of two at a time.
        cancelled: tells whether to stop. Each thread that waits for an answer asks it.

    Raises:
        CancelledError: `cancelled()` was true.
        SitetwinError: there is no model, or no such adapter.
    """
    assistant = Site(_for_scoring(settings)).assistant
    is_over, telling = threading.Event(), threading.Lock()

    def is_wanted() -> bool:
        if cancelled and cancelled():
            is_over.set()
        return not is_over.is_set()

    def one(held: Held) -> ScoredAnswer:
        with closing(assistant.ask(held.question, mode="lora", adapter=adapter or BASE)) as pieces:
            while is_wanted():
                if isinstance(piece := next(pieces), Answer):
                    scored = judge(held, piece)
                    if on_answer:
                        with telling:
                            on_answer(scored)
                    return scored
        raise CancelledError("the evaluation was cancelled: start it again")

    asked = [held for held in questions if held.reference or held.facts]
    with ThreadPoolExecutor(PARALLEL) as pool:
        under_way = [pool.submit(one, held) for held in asked]
        try:
            return AnswerScores(adapter=adapter, mode="lora", answers=[answer.result() for answer in under_way])
        finally:
            # If one has failed, nobody needs the other answers.
            is_over.set()


def judge(held: Held, answer: Answer) -> ScoredAnswer:
    """One answer with its score, from 0 to 1; `ScoredAnswer.score` says how it is made."""
    text = re.sub(r"\s*\[\d+\]", "", answer.answer)
    scored = ScoredAnswer(question=held.question, kind=held.kind, answer=answer.answer, score=0.0)
    if not held.reference:
        says_all = all(golden.says(text, fact) for fact in held.facts) and not golden.says(text, held.must_not)
        scored.score = float(says_all)
        return scored
    scored.f1, scored.specifics = token_f1(text, held.reference), specifics(held, text)
    scored.score = mean([value for value in (scored.f1, scored.specifics) if value is not None])
    return scored


def specifics(held: Held, answer: str) -> float | None:
    """The share of the reference's numbers, names and identifiers that `answer` contains, from 0 to 1; None: it has none.

    Those that already stand in the question do not count.
    """
    wanted = (numbers(held.reference) | named(held.reference)) - numbers(held.question) - named(held.question)
    wanted -= set(stems_with_parts(held.question))
    if not wanted:
        return None
    said = numbers(answer) | named(answer) | set(stems_with_parts(answer))
    return len(wanted & said) / len(wanted)


def _held(question: golden.GoldenQuestion) -> Held:
    facts = question.groups if question.answerable else ()
    return Held(question=question.question, kind="golden", facts=facts, must_not=question.must_not + question.stale)


def _for_scoring(settings: Settings) -> Settings:
    chat = {"temperature": 0.0, "max_tokens": min(LONGEST_ANSWER, settings.chat.max_tokens)}
    return settings.model_copy(update={"chat": settings.chat.model_copy(update=chat)})


def _pairs(settings: Settings, data_set: int | None, split: Split) -> list[Held]:
    rows = versions.read_rows(versions.version_folder(settings, data_set))
    return [
        Held(question=row.pair.question, kind=row.pair.kind, reference=row.pair.answer, document=row.pair.source)
        for row in rows
        if row.split == split and not is_of_voice(row.pair)  # which no note makes right or wrong
    ]


def _sample(held: Sequence[Held], limit: int, seed: int) -> list[Held]:
    """At most `limit` of them, in their order."""
    places = range(len(held))
    chosen = random.Random(seed).sample(places, min(max(0, limit), len(places)))
    return [held[place] for place in sorted(chosen)]
