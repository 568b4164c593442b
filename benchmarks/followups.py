"""How well a question that leans on earlier turns finds its passages: the last turn alone beside what is made of it.

    python -m benchmarks.followups [--tasks FILE] [--rewrite model] [--sample N] [--config FILE] [--json]

Two sets: real conversations (MTRAG, IBM, the tasks' own passages as the collection), retrieval measured by nDCG@10; and a
table of conversations about six notes, half of which change the subject, the first quotation measured. `ratio` is the
nDCG@10 of what is made of the turns over that of the last turn. With `--rewrite model` the model that the settings name
rewrites the same turns, and its figures stand beside those of the rules.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from benchmarks.report import Figures, render
from benchmarks.synthetic import PROJECT
from pipeline.chat.conversation import Asked, Find, Rewrite, found_for, understand
from pipeline.chat.quoting import best_quotes
from pipeline.chat.records import Turn
from pipeline.content.documents import Document
from pipeline.errors import SitetwinError
from pipeline.evaluation.ranking import judge
from pipeline.evaluation.retrieval import throw_away_index
from pipeline.settings import Settings, load_settings
from pipeline.site import Site

TASKS = PROJECT.parent / "shared" / "data" / "mtrag" / "tasks.jsonl"
TABLE = Path(__file__).parent / "data" / "followups.jsonl"
DEPTH = 10
NOTES = {
    "apples": "We prune the apple trees in February, before the sap rises.",
    "boiler": "The boiler was replaced in 2019 by Weber and Sons.",
    "cat": "Our cat is called Minka and is eleven years old.",
    "holiday": "The holiday in Norway cost 2400 euros for two weeks.",
    "server": "The server has two hard disks of four terabytes each in a mirror.",
    "shed": "The key to the garden shed hangs behind the rain gauge.",
}


@dataclass(frozen=True, slots=True)
class Task:
    """The last turn of a conversation."""

    id: str
    question: str
    history: tuple[Turn, ...]
    passages: dict[str, str]
    """Those that answer it, by id."""


def read_tasks(file: Path) -> list[Task]:
    """The tasks of MTRAG that have passages and earlier turns."""
    tasks = []
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        *before, last = row["input"]
        roles = {"user": "user", "agent": "assistant"}
        history = tuple(Turn(role=roles[turn["speaker"]], content=turn["text"].strip()) for turn in before)
        passages = {context["document_id"]: context["text"].strip() for context in row["contexts"]}
        if before and passages:
            tasks.append(Task(row["task_id"], last["text"].strip(), history, passages))
    return tasks


def measure_conversations(
    tasks: Sequence[Task], settings: Settings, rewrite: Rewrite | None = None, sample: int = 0
) -> Figures:
    """nDCG@10 of the last turn, of both last questions joined, of what is made of the turns, and of what `rewrite` makes.

    Args:
        sample: about so many of the tasks are asked, spread over all; 0: all. The passages of all are searched.
    """
    texts = {id: text for task in tasks for id, text in task.passages.items()}
    tasks = tasks[:: max(1, len(tasks) // sample)] if sample else tasks
    judgements = {task.id: dict.fromkeys(task.passages, 1) for task in tasks}
    rankings: dict[str, dict[str, list[str]]] = {"last_turn": {}, "joined": {}, "made": {}}
    rewritings: list[Asked] = []
    seconds = 0.0
    with throw_away_index([_document(id, text) for id, text in texts.items()], settings) as index:
        index.sync()

        def find(query: str) -> list[str]:
            return list(dict.fromkeys(passage.document for passage in index.search(query, DEPTH).passages))

        for task in tasks:
            asked = [turn.content for turn in task.history if turn.role == "user"]
            turns = settings.chat.history_turns
            best: Find = lambda query: index.search(query).passages  # noqa: E731
            rankings["last_turn"][task.id] = find(task.question)
            rankings["joined"][task.id] = find(" ".join([*asked[-1:], task.question]))
            ways = {"made": understand(task.question, task.history, turns, best)}
            if rewrite:
                started = time.perf_counter()
                ways["rewritten"] = understand(task.question, task.history, turns, best, rewrite)
                seconds += time.perf_counter() - started
                rewritings.append(ways["rewritten"])
                ways["rewritten_alone"] = replace(ways["rewritten"], joined="")
            for name, way in ways.items():
                found = found_for(way, lambda query: index.search(query, DEPTH).passages)
                rankings.setdefault(name, {})[task.id] = list(dict.fromkeys(passage.document for passage in found))
    figures: dict[str, float | int | str | None] = {
        f"{name}_ndcg@10": judge(ranked, judgements)["ndcg@10"] for name, ranked in rankings.items()
    }
    if rewritings:
        figures["rewritten"] = f"{sum(bool(asked.rewriting.question) for asked in rewritings)} of {len(rewritings)}"
        figures["seconds_a_rewriting"] = seconds / len(rewritings)
    return figures


def measure_table(settings: Settings) -> Figures:
    """The share of the table's questions whose first quotation is of the right note."""
    rows = [json.loads(line) for line in TABLE.read_text(encoding="utf-8").splitlines()]
    right: dict[bool, list[bool]] = {True: [], False: []}
    with throw_away_index([_document(name, text) for name, text in NOTES.items()], settings) as index:
        index.sync()
        find: Find = lambda query: index.search(query).passages  # noqa: E731
        for row in rows:
            asked = understand(row["question"], list(_turns(row["before"])), settings.chat.history_turns, find)
            passages = found_for(asked, find)
            quotes = best_quotes(asked.subject, passages, Site(settings).similarity, asked=asked.question)
            right[row["changes"]].append(bool(quotes) and passages[quotes[0].n - 1].document == row["note"])
    return {
        "subject_changes_right": f"{sum(right[True])} of {len(right[True])}",
        "subject_stays_right": f"{sum(right[False])} of {len(right[False])}",
    }


def _turns(questions: Sequence[str]) -> Iterator[Turn]:
    for question in questions:
        yield Turn(role="user", content=question)
        yield Turn(role="assistant", content="An answer.")


def _document(id: str, text: str) -> Document:
    return Document(id, Path(id), "", "", text, "public", digest=id)


@click.command()
@click.option("--tasks", type=click.Path(path_type=Path), default=TASKS, help="MTRAG's tasks.jsonl.")
@click.option("--config", type=click.Path(path_type=Path), help="The sitetwin.toml to use.")
@click.option("--json", "as_json", is_flag=True, help="Only the figures, as JSON.")
@click.option("--rewrite", type=click.Choice(["rules", "model"]), default="rules", help="As chat.rewrite.")
@click.option("--sample", type=int, default=0, help="Ask only so many tasks, spread over all; 0: all.")
def main(tasks: Path, config: Path | None, as_json: bool, rewrite: str, sample: int) -> None:
    """Follow-up questions: the last turn alone beside what is made of the turns."""
    try:
        settings = load_settings(config)
        figures = dict(measure_table(settings))
        if tasks.is_file():
            by_model = Site(settings).assistant.rewritten if rewrite == "model" else None
            figures |= measure_conversations(read_tasks(tasks), settings, by_model, sample)
            made, last = figures["made_ndcg@10"], figures["last_turn_ndcg@10"]
            figures = {"ratio": float(made or 0) / float(last or 1), **figures}
    except SitetwinError as error:
        sys.exit(str(error))
    print(render("Follow-up questions", figures, as_json=as_json))


if __name__ == "__main__":
    main()
