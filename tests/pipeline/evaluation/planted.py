"""Systems whose quality is known, and the notes and questions that they are asked about.

Each answers by a rule: an oracle knows everything, a parrot says the passages again, a liar has the author's voice and wrong
facts, a refuser refuses, a memoriser says what the notes said before.
"""

from collections.abc import Callable
from pathlib import Path

from pipeline.chat import Answer, Citation
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.evaluation.measures import Judged, measures
from pipeline.index.passages import Passage

NOTES = {
    "moved.md": "I moved to Utah in 2013, and I have not looked back. The house in Provo has a red door.",
    "server.md": "My home server runs NixOS now. It draws 14 watts, which is less than the lamp beside it.",
    "bread.md": "I bake with rye from Tuomi's mill. The dough rests for 18 hours, so I start on Friday.",
    "bike.md": "The bike is a Surly from 2009. Its chain lasts about 3000 kilometres.",
}
OLD = {"server.md": "My home server runs Debian. It draws 14 watts, which is less than the lamp beside it."}
"""What the notes said when the memoriser learnt them."""

QUESTIONS = [
    GoldenQuestion(
        question="When did I move to Utah?", fact=("2013",), page=("moved",), reference="I moved to Utah in 2013."
    ),
    GoldenQuestion(question="How long does the dough rest?", fact=("18 hours",), page=("bread",), must_not=("24 hours",)),
    GoldenQuestion(question="How long does the chain of the bike last?", fact=("3000",), page=("bike",)),
    GoldenQuestion(
        question="Where do I live, and what does the server draw?", facts=(("Utah", "Provo"), ("14 watts",)),
        page=("moved", "server"), kind="synthesis",
    ),
    GoldenQuestion(
        question="What runs on the home server?", fact=("NixOS",), stale=("Debian",), page=("server",), kind="changed",
        reference="My home server runs NixOS now.",
    ),
    GoldenQuestion(question="What colour is the bike?", answerable=False, why="property"),
    GoldenQuestion(question="Which mill does the server come from?", answerable=False, why="false_premise"),
    GoldenQuestion(question="Who won the chess match?", answerable=False, why="outside"),
]  # fmt: skip


def passages(question: GoldenQuestion, notes: dict[str, str] = NOTES) -> list[Passage]:
    """All notes; those that hold the answer first."""
    order = sorted(notes, key=lambda id: not any(page in id for page in question.page))
    return [
        Passage(
            id=id, document=id, title=Path(id).stem, url="", heading="", text=notes[id], score=1, visibility="public"
        )
        for id in order
    ]


def _pages(question: GoldenQuestion) -> list[str]:
    return [id for id in NOTES if any(page in id for page in question.page)]


def oracle(question: GoldenQuestion) -> tuple[str, list[str]]:
    if not question.answerable:
        return "", []
    return " ".join(NOTES[id] for id in _pages(question)), _pages(question)


def parrot(question: GoldenQuestion) -> tuple[str, list[str]]:
    found = passages(question)[:2]
    return " ".join(passage.text for passage in found), [passage.document for passage in found]


def liar(question: GoldenQuestion) -> tuple[str, list[str]]:
    return (
        "I moved to Oregon in 1987, and I have not looked back. The dough rests for 24 hours with Mikkola's flour.",
        [],
    )


def refuser(question: GoldenQuestion) -> tuple[str, list[str]]:
    return "", []


def memoriser(question: GoldenQuestion) -> tuple[str, list[str]]:
    learnt = NOTES | OLD
    return " ".join(learnt[id] for id in _pages(question)) or NOTES["bike.md"], []


SYSTEMS: dict[str, Callable[[GoldenQuestion], tuple[str, list[str]]]] = {
    "oracle": oracle, "parrot": parrot, "liar": liar, "refuser": refuser, "memoriser": memoriser
}  # fmt: skip


def judged(question: GoldenQuestion, system: str) -> Judged:
    text, cited = SYSTEMS[system](question)
    answer = Answer(
        question=question.question, mode="rag", answer=text or "That is not in these notes.", refused=not text, model="planted",
        citations=[Citation(n=n, document=id, title="", url="", heading="", quote="") for n, id in enumerate(cited, 1)],
    )  # fmt: skip
    return Judged(question, answer, passages(question), read=100, written=len(text.split()))


def figures(measure: str) -> dict[str, float | None]:
    """The mean of a measure for each planted system; None where it applies to no answer."""
    of = {one.key: one for one in measures()}[measure].of
    found: dict[str, float | None] = {}
    for system in SYSTEMS:
        values = [value for question in QUESTIONS if (value := of(judged(question, system))) is not None]
        found[system] = sum(values) / len(values) if values else None
    return found
