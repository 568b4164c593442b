"""Votes of people who heard several systems without knowing which is which, and what they say together."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from pipeline import jsonl
from pipeline.evaluation.doubt import Estimate, estimate
from pipeline.evaluation.systems.wiring import FOLDER
from pipeline.settings import Settings


class Vote(BaseModel):
    """One answer to "Which sounds more like the author?"."""

    at: datetime
    question: str
    systems: tuple[str, ...]
    """All that were heard."""
    chosen: str
    """The one that sounds most like the author; "" if the voter could not tell."""
    models: dict[str, str]
    """By system, what answered: the model, and behind a slash its adapter."""
    by_owner: bool


class Tally(BaseModel):
    """How often one system was chosen."""

    system: str
    chosen: Estimate
    """The share of its votes in which it was chosen, with Wilson's 95 % interval."""
    guessing: float
    """The share that it would get if everyone guessed."""


def votes_file(settings: Settings) -> Path:
    """Where the votes are kept, one a line."""
    return settings.state / FOLDER / "votes.jsonl"


def keep_vote(settings: Settings, vote: Vote) -> None:
    """Adds a vote."""
    jsonl.append(votes_file(settings), [vote])


def kept_votes(settings: Settings) -> list[Vote]:
    """All votes, oldest first.

    Raises:
        SitetwinError: a line of the file is no vote.
    """
    file = votes_file(settings)
    return jsonl.read(file, Vote, "remove that line") if file.is_file() else []


def tally(votes: Sequence[Vote]) -> list[Tally]:
    """How often each system was chosen where it was heard, the most often chosen first. Who could not tell chose none."""
    found = []
    for name in dict.fromkeys(system for vote in votes for system in vote.systems):
        heard = [vote for vote in votes if name in vote.systems]
        chosen = estimate([float(vote.chosen == name) for vote in heard], binary=True)
        if chosen:
            guessing = sum(1 / len(vote.systems) for vote in heard) / len(heard)
            found.append(Tally(system=name, chosen=chosen, guessing=guessing))
    return sorted(found, key=lambda one: -one.chosen.value)
