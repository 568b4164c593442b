"""Asks a system all questions, several at a time, and keeps each answer as it comes."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from pipeline.chat import Answer
from pipeline.errors import SitetwinError
from pipeline.evaluation.systems import Found, OpenSystem, Usage
from pipeline.evaluation.systems.identity import asks_model, shaping
from pipeline.jobs.evaluating.answers import KeptAnswers
from pipeline.jobs.evaluating.record import FoundPassage, Reply
from pipeline.site import Site

PARALLEL = 4
"""The questions asked at a time. The engine computes them as one batch, and chats beside it keep their turn."""


class CancelledError(SitetwinError):
    """The evaluation was cancelled."""


def ask_all(
    opened: OpenSystem,
    questions: Sequence[str],
    kept: KeptAnswers,
    *,
    on_answer: Callable[[bool], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Reply]:
    """The system's answers to the questions, in their order.

    Args:
        opened: the system.
        questions: what is asked.
        kept: answers of before; new ones are added. Of a flow nothing is kept: what shapes it stands in Langflow.
        on_answer: is told of each answer, and whether it was kept; never of two at a time.
        cancelled: tells whether to stop; each thread that waits for an answer asks it.

    Raises:
        CancelledError: `cancelled()` was true. What was answered is kept.
        SitetwinError: as `OpenSystem.ask`.
    """
    opened.prepare()
    is_kept = not opened.system.flow
    mark = shaping(opened) if is_kept else ""
    known = {question: reply for question in questions if is_kept and (reply := kept.find(mark, question))}
    for _ in known:
        on_answer(True)
    asked = [question for question in dict.fromkeys(questions) if question not in known]
    is_over, telling = threading.Event(), threading.Lock()

    def is_wanted() -> bool:
        if cancelled():
            is_over.set()
        return not is_over.is_set()

    def one(question: str) -> Reply:
        usage, found = Usage(), Found()
        with closing(opened.ask(question, usage=usage, found=found)) as pieces:
            while is_wanted():
                if isinstance(piece := next(pieces), Answer):
                    pieces.close()  # what was written is counted when the model is let go
                    reply = Reply(
                        question=question,
                        answer=piece,
                        read=usage.read,
                        written=usage.written,
                        passages=[FoundPassage(document=one.document, heading=one.heading) for one in found.passages],
                    )
                    with telling:
                        if is_kept:
                            kept.keep(mark, reply)
                        on_answer(False)
                    return reply
        raise CancelledError("the evaluation was cancelled; its answers are kept: `sitetwin eval` goes on from there")

    if asked and is_wanted():
        _warm_up(opened)
    with ThreadPoolExecutor(PARALLEL) as pool:
        under_way = {question: pool.submit(one, question) for question in asked}
        try:
            known |= {question: reply.result() for question, reply in under_way.items()}
        finally:
            # If one has failed, nobody needs the other answers.
            is_over.set()
    return [known[question] for question in questions]


def _warm_up(opened: OpenSystem) -> None:
    """Starts the model before the clock runs: its loading is no answer's cost."""
    if asks_model(opened) and opened.connect is None and not opened.engine.engine.url:
        client = Site(opened.engine).engine(None)
        list(client.generate([{"role": "user", "content": "Hello"}], max_tokens=1))
