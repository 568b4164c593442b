"""Written answers in real conversations: what is declined, and whether what is said is in the passages.

    python -m benchmarks.conversations [--model FOLDER] [--limit N] [--only quotations|written] [--tasks FILE] [--verbose]
        [--json]

MTRAG (IBM): conversations by people, each with passages, a reference answer and whether the passages answer its last turn.
The passages of all tasks are the notes. Each task is asked with its earlier turns, once answered in quotations and once in
the model's words. Faithfulness is that of `sitetwin eval`. `ratio` is the faithfulness of the model's words over that of
quotations.
"""

import json
import random
import re
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.followups import TASKS
from benchmarks.lab_model import lab_model
from benchmarks.report import Figures, render
from benchmarks.running import PROJECT
from pipeline.chat import Answer, Turn
from pipeline.errors import SitetwinError
from pipeline.evaluation.doubt import estimate
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.evaluation.measures import Judged
from pipeline.evaluation.measures.faithfulness import FAITHFULNESS
from pipeline.evaluation.measures.reference import REFERENCE
from pipeline.evaluation.systems import Found, OpenSystem, System
from pipeline.settings import ContentSource, Settings
from pipeline.site import Site

STATE = PROJECT / ".sitetwin" / "conversations"
"""Kept between runs, so that only the first one embeds."""
KINDS = ("answerable", "partial", "unanswerable", "underspecified")
PARALLEL = 4
SYSTEMS = {"quotations": True, "written": False}
ROLES = {"user": "user", "agent": "assistant"}


@dataclass(frozen=True, slots=True)
class Task:
    """The last turn of a conversation."""

    question: str
    history: tuple[Turn, ...]
    kind: str
    reference: str


@dataclass(frozen=True, slots=True)
class Said:
    """What one system said to one task."""

    task: Task
    answer: Answer
    faithfulness: float | None
    reference: float | None


def read_tasks(file: Path) -> tuple[list[Task], dict[str, str]]:
    """All tasks, and the passages of all of them by id."""
    tasks: list[Task] = []
    passages: dict[str, str] = {}
    for row in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
        *before, last = row["input"]
        history = tuple(
            Turn.model_validate({"role": ROLES[turn["speaker"]], "content": turn["text"].strip()}) for turn in before
        )
        kind = row["answerability"][0].lower()
        tasks.append(Task(last["text"].strip(), history, kind, row["targets"][0]["text"].strip()))
        passages |= {context["document_id"]: context["text"].strip() for context in row["contexts"]}
    return tasks, passages


def chosen(tasks: Sequence[Task], limit: int) -> list[Task]:
    """At most `limit` tasks of each kind, the same each time."""
    found = []
    for kind in KINDS:
        of_kind = [task for task in tasks if task.kind == kind]
        found += random.Random(0).sample(of_kind, min(limit, len(of_kind)))
    return found


def prepared(passages: dict[str, str], model: str) -> Settings:
    """A site whose notes are the passages, indexed."""
    notes = STATE / "notes"
    notes.mkdir(parents=True, exist_ok=True)
    for id, text in passages.items():
        (notes / f"{re.sub(r'[^A-Za-z0-9_-]', '-', id)}.md").write_text(text + "\n", encoding="utf-8")
    settings = Settings(root=STATE, content=[ContentSource(path=notes, kind="markdown", visibility="public")])
    settings.models.chat = model
    settings.chat.max_tokens = 120
    settings.engine.timeout_seconds = 600
    with Site(settings).index() as index:
        index.sync()
    Site(settings).calibrate()
    return settings


def ask(settings: Settings, quotes: bool, task: Task) -> Said:
    """One task's answer, with how faithful it is to what was found."""
    system = System(name="rag", mode="rag", persona=False, quote_first=quotes)
    found = Found()
    *_, answer = OpenSystem(settings, system, "public").ask(task.question, history=task.history, found=found)
    assert isinstance(answer, Answer)
    question = GoldenQuestion(question=task.question, kind="voice", reference=task.reference)
    judged = Judged(question, answer, found.passages)
    return Said(task, answer, FAITHFULNESS.of(judged), REFERENCE.of(judged) if task.kind == "answerable" else None)


def figures(name: str, said: Sequence[Said]) -> Figures:
    """Shares with their 95 % intervals, in percent."""
    found: dict[str, float | int | str | None] = {}
    for kind in KINDS:
        declined = [float(one.answer.refused) for one in said if one.task.kind == kind]
        found[f"{name}, {kind}: declined"] = _percent(declined, binary=True)
    answered = [one for one in said if not one.answer.refused]
    found[f"{name}: faithful"] = _percent([one.faithfulness for one in answered if one.faithfulness is not None])
    found[f"{name}: words of the reference"] = _percent([one.reference for one in said if one.reference is not None])
    found[f"{name}: in the model's own words"] = _percent(
        [float(one.answer.form == "written") for one in answered], binary=True
    )
    return found


def _percent(values: Sequence[float], *, binary: bool = False) -> str:
    # Where every share is whole, a bootstrap would leave no doubt at all.
    found = estimate(values, binary=binary or set(values) <= {0.0, 1.0})
    return f"{found.value:.0%} ({found.low:.0%} to {found.high:.0%}) of {found.count}" if found else "–"


def _faithful(said: Sequence[Said]) -> float:
    values = [one.faithfulness for one in said if not one.answer.refused and one.faithfulness is not None]
    return sum(values) / len(values) if values else 0.0


@click.command()
@click.option("--tasks", type=click.Path(path_type=Path), default=TASKS, help="MTRAG's tasks.jsonl.")
@click.option("--model", help="What `models.chat` takes; else the lab model.")
@click.option("--limit", type=click.IntRange(1), default=20, help="Tasks of each kind.")
@click.option("--only", type=click.Choice(sorted(SYSTEMS)), help="One way to answer; quotations ask no model.")
@click.option("--verbose", is_flag=True, help="Show each answer.")
@click.option("--json", "as_json", is_flag=True, help="Only the figures, as JSON.")
def main(tasks: Path, model: str | None, limit: int, only: str | None, verbose: bool, as_json: bool) -> None:
    """Written answers in real conversations: what is declined, and whether what is said is in the passages."""
    if not tasks.is_file():
        sys.exit(
            f"{tasks} does not exist: take tasks.jsonl from github.com/IBM/mt-rag-benchmark and name it with --tasks"
        )
    try:
        all_tasks, passages = read_tasks(tasks)
        settings = prepared(passages, model or str(lab_model()))
        asked = chosen(all_tasks, limit)
        said: dict[str, list[Said]] = {}
        for name, quotes in SYSTEMS.items() if only is None else [(only, SYSTEMS[only])]:
            with ThreadPoolExecutor(PARALLEL) as pool:
                said[name] = list(pool.map(lambda task, quotes=quotes: ask(settings, quotes, task), asked))
    except SitetwinError as error:
        sys.exit(str(error))
    for name, of_system in said.items() if verbose else ():
        for one in of_system:
            click.echo(
                f"{name}, {one.task.kind}: {one.task.question}\n    {' '.join(one.answer.answer.split())}", err=True
            )
    ratio = None if only else _faithful(said["written"]) / (_faithful(said["quotations"]) or 1)
    found: dict[str, float | int | str | None] = {"ratio": ratio, "tasks": len(asked), "passages": len(passages)}
    for name, of_system in said.items():
        found |= figures(name, of_system)
    click.echo(render("Written answers in real conversations", found, as_json=as_json))


if __name__ == "__main__":
    main()
