"""Questions that show how systems differ, chosen from the golden ones."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from pydantic import BaseModel

from pipeline.evaluation.golden import GoldenQuestion, is_page

Tries = Literal["held", "nowhere", "voice"]


class Probe(BaseModel):
    """One question to try systems with."""

    tries: Tries
    """`held`: the notes hold the answer; `nowhere`: nothing does; `voice`: there is only the voice to hear."""
    question: str


def probes(questions: Sequence[GoldenQuestion], seen: Iterable[str] | None = None) -> list[Probe]:
    """The first question that tries each.

    Args:
        questions: the golden ones.
        seen: the ids of the documents that the reader may see; a question that names another is left out. None: all.
    """
    ids = None if seen is None else list(seen)

    def is_shown(one: GoldenQuestion) -> bool:
        return ids is None or all(any(is_page(id, page) for id in ids) for page in one.page)

    wanted: dict[Tries, Callable[[GoldenQuestion], bool]] = {
        "held": lambda one: one.kind == "fact",
        "nowhere": lambda one: not one.answerable,
        "voice": lambda one: one.kind == "voice",
    }
    # What is outside the notes altogether is plainer than what comes near them.
    ordered = sorted(questions, key=lambda one: one.why != "outside")
    # Whether one is shown looks at all documents, so it is asked last.
    found = (
        (tries, next((one.question for one in ordered if fits(one) and is_shown(one)), ""))
        for tries, fits in wanted.items()
    )
    return [Probe(tries=tries, question=question) for tries, question in found if question]
