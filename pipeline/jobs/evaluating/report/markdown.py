"""The report in Markdown."""

from collections.abc import Iterable, Iterator, Sequence
from textwrap import shorten

from pipeline.jobs.evaluating.record import Evaluation
from pipeline.jobs.evaluating.report.table import by_kind, figures, seen_and_unseen
from pipeline.jobs.evaluating.report.wording import (
    DASH,
    asked,
    conclusions,
    doubts,
    failures,
    forgotten,
    next_steps,
    shown_measures,
    trained,
)

SHOWN_FAILURES = 12
SHOWN_CHARS = 220


def markdown(evaluation: Evaluation) -> str:
    """The whole report."""
    return "\n".join([*_lines(evaluation)]).strip() + "\n"


def _lines(evaluation: Evaluation) -> Iterator[str]:
    shown = shown_measures(evaluation)
    names = list(evaluation.systems)
    yield from (f"# Evaluation {evaluation.number}", "", asked(evaluation), "")
    yield from ("## What was found", "")
    yield from (f"- {line}." for line in conclusions(evaluation))
    yield ""
    yield from doubts(evaluation)
    yield from ["", *(f"- {note}" for note in evaluation.notes), ""] if evaluation.notes else [""]
    yield from ("## The systems", "")
    yield from table(
        ["system", "mode", "model", "adapter", "persona", "memory", "training", "forgetting"],
        map(_system, [evaluation] * len(names), names),
    )
    yield from ("", "## The figures", "", "Each with the 95 % interval in which the true value may lie.", "")
    yield from table(["", *names], (list(row.values()) for row in figures(evaluation)))
    yield from ("", "## What each measure says", "")
    yield from (f"- **{one.title}**: {one.sentence} It can't see {one.cannot_see}." for one in shown)
    yield from _parts(evaluation, names)
    yield from ("", "## What to do next", "")
    yield from (f"- {step}" for step in next_steps(evaluation) or ["Nothing stands out."])
    yield from _failures(evaluation)


def _system(evaluation: Evaluation, name: str) -> list[str]:
    result = evaluation.systems[name]
    system, memory = result.system, result.memory_mb
    return [
        name, f"flow {system.flow}" if system.flow else system.mode, result.model or "none asked", result.adapter or DASH,
        "yes" if system.persona else "no", f"{memory:.0f} MB" if memory else DASH, trained(result), forgotten(result),
    ]  # fmt: skip


def _parts(evaluation: Evaluation, names: Sequence[str]) -> Iterator[str]:
    """Seen and unseen pages, then the kinds of questions."""
    if rows := seen_and_unseen(evaluation):
        yield from ("", "## On pages that were trained on, and on others", "")
        yield from table(["measure", "system", "seen", "unseen"], rows)
    for part in by_kind(evaluation):
        yield from ("", f"## {part.title} by kind of question", "")
        yield from table(["kind", *names], part.rows)


def _failures(evaluation: Evaluation) -> Iterator[str]:
    found = failures(evaluation)
    if not found:
        return
    yield from ("", "## Failures", "")
    for place, faults in found[:SHOWN_FAILURES]:
        question = evaluation.questions[place]
        yield from (f"### {question.question}", "")
        right = "; ".join(" or ".join(group) for group in question.groups) or "a refusal"
        yield from (f"Right: {right}.", "")
        for name, fault in faults.items():
            answer = evaluation.systems[name].replies[place].answer.answer
            yield f"- {name}{f' ({fault})' if fault else ''}: {shorten(answer, SHOWN_CHARS, placeholder=' …') or DASH}"
        yield ""
    if len(found) > SHOWN_FAILURES:
        yield f"{len(found) - SHOWN_FAILURES} more stand in the HTML report."


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a Markdown table."""
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"
