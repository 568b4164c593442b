"""`sitetwin advise`: RAG, LoRA, both or neither yet, and what goes wrong."""

import datetime
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.kit import as_json, print_json, with_settings
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.advice.diagnosing import Failure
    from pipeline.advice.facts import SiteFacts
    from pipeline.advice.memory import Need
    from pipeline.advice.wishes import Wishes
    from pipeline.machine import Machine

SIGNS = {True: "yes", False: "no", None: "open"}


@click.command()
@click.option("--diagnose", is_flag=True, help="Find the seven ways in which retrieval and adapters fail.")
@click.option(
    "--sources/--no-sources", default=None, help="Whether readers must be able to check where an answer comes from."
)
@click.option("--voice/--no-voice", default=None, help="Whether answers should sound like you.")
@click.option(
    "--format/--no-format", "form", default=None, help="Whether answers need a form that a prompt can't describe."
)
@click.option("--regulated/--not-regulated", default=None, help="Whether the subject is regulated.")
@click.option("--wait/--no-wait", default=None, help="Whether half a second more before the first word is acceptable.")
@as_json
@with_settings
def advise(settings: Settings, diagnose: bool, as_json: bool, form: bool | None, **said: bool | None) -> None:
    """Recommend RAG, LoRA, both or neither yet, from your own notes, pairs, machine and measurements."""
    from pipeline.machine import this_machine
    from pipeline.site import Site
    from pipeline.weights import blas

    blas.preload()
    from pipeline.advice.diagnosing import diagnose as find
    from pipeline.advice.dimensions import dimensions, tiers
    from pipeline.advice.gathering import gather
    from pipeline.advice.memory import table
    from pipeline.advice.recommending import advise
    from pipeline.advice.wishes import Wishes

    machine = this_machine()
    needs = table(machine)
    facts = gather(Site(settings), machine, needs, datetime.date.today())
    if diagnose:
        failures = find(facts)
        print_json({"failures": failures, "facts": facts}) if as_json else _show_failures(failures)
        return
    wishes = Wishes(format=form, **said)
    if not as_json and is_terminal():
        wishes = _asked(wishes, facts)
    advice = advise(facts, wishes)
    rows, steps = dimensions(facts, _typical(needs)), tiers(facts)
    needs += _own(settings, machine)
    if as_json:
        print_json({**advice.model_dump(), "tiers": steps, "dimensions": rows, "memory": needs, "facts": facts})
        return
    click.echo(f"{advice.recommendation.upper()}: {advice.reason}\n")
    _table("What points where", [(factor.name, factor.points, factor.evidence) for factor in advice.factors])
    _table(
        "The nine questions",
        [(SIGNS[q.answer], f"→ {q.points}", f"{q.question} ({q.evidence})") for q in advice.questions],
    )
    _table("Three tiers", [(tier.name, tier.state, tier.evidence) for tier in steps])
    _table("Here", [("", "RAG", "LoRA", "both"), *((row.name, row.rag, row.lora, row.both) for row in rows)])
    _table(f"Memory in GB, of {facts.for_models:.0f} that a model may take here", _memory(needs))
    if not machine.is_apple_silicon:
        click.echo(
            "On a CPU sitetwin's own engine holds each weight in 4 bytes; the table is true of a model in Ollama.\n"
        )
    if advice.open:
        options = {field.description: f"--{name}" for name, field in type(wishes).model_fields.items()}
        click.echo(
            "Only you know:\n" + "".join(f"  {question} `{options[question]}` if so\n" for question in advice.open)
        )
    click.echo("Next:\n" + "\n".join(f"  {number}. {step}" for number, step in enumerate(advice.next, 1)))


def is_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty()


def _asked(wishes: "Wishes", facts: "SiteFacts") -> "Wishes":
    """The wishes with the answers of the person at the terminal to what the data can't tell."""
    from pipeline.advice.wishes import SLOW_MS

    answers: dict[str, Any] = {}
    for name, field in type(wishes).model_fields.items():
        is_quick = facts.search is None or facts.search.p95_ms <= SLOW_MS
        if getattr(wishes, name) is None and not (name == "wait" and is_quick):
            answers[name] = click.confirm(str(field.description), err=True)
    return wishes.model_copy(update=answers)


def _own(settings: Settings, machine: "Machine") -> "list[Need]":
    """The needs of the chat model of the settings; none if its weights are not here."""
    from pipeline.advice.memory import own_need
    from pipeline.errors import ModelError
    from pipeline.weights.locating import weights_folder

    name = settings.models.chat
    if settings.engine.url or name.startswith("ollama:"):
        return []
    try:
        return [own_need(weights_folder(name), machine).model_copy(update={"size": name})]
    except ModelError as error:
        click.echo(f"the memory of {name} is not in the table: {error}", err=True)
        return []


def _typical(needs: "Sequence[Need]") -> "Need":
    """The size for which memory is named: the largest in 4 bits that can be trained here, else the smallest."""
    small = [need for need in needs if need.bits == 4]
    return next((need for need in reversed(small) if need.fits_train), small[0])


def _memory(needs: "Sequence[Need]") -> list[tuple[str, ...]]:
    head = ("", "answers", "with retrieval", "trains", "")
    rows = [
        (
            f"{need.size} in {need.bits} bits", f"{need.answer:.1f}", f"{need.rag:.1f}", f"{need.train:.1f}",
            "both fit" if need.fits_answer and need.fits_train else "answers" if need.fits_answer else "does not fit",
        )
        for need in needs
    ]  # fmt: skip
    return [head, *rows]


def _show_failures(failures: "Sequence[Failure]") -> None:
    signs = {"found": "✗", "clear": "✓", "unknown": "?"}
    for failure in failures:
        click.echo(f"{signs[failure.state]} {failure.name}: {failure.sign}")
        if failure.mend:
            click.echo(f"    → {failure.mend}")


def _table(title: str, rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    click.echo(title)
    for row in rows:
        click.echo("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    click.echo()
