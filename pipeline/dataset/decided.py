"""What the owner decided in the review, as files that others can read without the data set."""

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from pipeline import jsonl
from pipeline.dataset.decisions import Action, Decision, choices_file, decisions_file, read_choices, read_decisions
from pipeline.dataset.records import Pair
from pipeline.dataset.versions import read_rejected, read_rows
from pipeline.settings import Settings


class Words(BaseModel):
    """Question and answer in the owner's words."""

    question: str
    answer: str


class Decided(BaseModel):
    """One line of the exported decisions."""

    pair: Pair
    """As the data set has it: in the owner's words, if it was edited before the build."""
    id: str
    """Id of the pair as the teacher wrote it."""
    decision: Action
    edit: Words | None
    when: datetime


class Chosen(BaseModel):
    """One line of the exported choices."""

    better: Pair
    worse: Pair
    when: datetime


def export_decided(settings: Settings, folder: Path, to: Path) -> tuple[dict[Path, int], int]:
    """Write the decisions and the choices about pairs of the data set in `folder` to the folder `to`.

    Those about other pairs are left out: they may come from notes that nobody else may read any more.

    Returns:
        The number of lines of each file, and the number of decisions and choices left out.

    Raises:
        SitetwinError: a line of the decisions or choices can't be read.
    """
    pairs = {row.original: row.pair for row in read_rows(folder)}
    pairs |= {row.pair.id: row.pair for row in read_rejected(folder)}
    said = list(read_decisions(decisions_file(settings)).values())
    choices = read_choices(choices_file(settings))
    decided = [_decided(pairs[one.pair], one) for one in said if one.pair in pairs]
    chosen = [
        Chosen(better=pairs[one.better], worse=pairs[one.worse], when=one.at)
        for one in choices
        if one.better in pairs and one.worse in pairs
    ]
    to.mkdir(parents=True, exist_ok=True)
    jsonl.write(to / "decisions.jsonl", decided)
    jsonl.write(to / "choices.jsonl", chosen)
    files = {to / "decisions.jsonl": len(decided), to / "choices.jsonl": len(chosen)}
    return files, len(said) + len(choices) - len(decided) - len(chosen)


def _decided(pair: Pair, said: Decision) -> Decided:
    edit = Words(question=said.question, answer=said.answer) if said.action == "edit" else None
    return Decided(pair=pair, id=said.pair, decision=said.action, edit=edit, when=said.at)
