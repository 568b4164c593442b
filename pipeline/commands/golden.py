"""`sitetwin golden`: questions with known answers, by which answers and adapters are judged."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.kit import Commands, as_json, print_json, with_settings
from pipeline.parts import Parts
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.evaluation.golden_check import Finding

QUESTIONS = click.Path(path_type=Path, dir_okay=False)


@click.group(cls=Commands, parts=Parts("command", "sitetwin.golden_commands", {}))
def golden() -> None:
    """Questions with known answers, to judge answers by."""


@golden.command()
@click.option(
    "--count", type=click.IntRange(1, 500), default=30, show_default=True, help="The most questions to propose."
)
@as_json
@with_settings
def draft(settings: Settings, count: int, as_json: bool) -> None:
    """Propose questions from your notes, the test split, and notes that were edited after a training."""
    from pipeline.evaluation.golden_proposals import draft as propose
    from pipeline.evaluation.golden_proposals import proposals_file
    from pipeline.site import Site

    click.echo(f"asking the teacher {settings.teacher.model}", err=True)
    drafted = asyncio.run(propose(Site(settings), count))
    for reason in drafted.unreadable[:3]:
        click.echo(f"left out: {reason}", err=True)
    if as_json:
        print_json(drafted)
        return
    for proposal in drafted.proposals:
        said = "; ".join(" | ".join(group) for group in proposal.golden.groups) or proposal.golden.why or "no fact"
        click.echo(f"{proposal.golden.kind}: {proposal.golden.question}\n   {said} ({proposal.origin})")
    click.echo(
        f"{len(drafted.proposals)} questions in {proposals_file(settings)}, {drafted.dropped} dropped for a fault",
        err=True,
    )
    click.echo("next: `sitetwin golden review` accepts, edits and drops them one by one", err=True)


@golden.command()
@click.option("--questions", type=QUESTIONS, help="Another file than evaluation.questions.")
@click.option("--judge", is_flag=True, help="Ask the judge of the settings too whether the notes answer a question.")
@as_json
@with_settings
@click.pass_context
def check(ctx: click.Context, settings: Settings, questions: Path | None, judge: bool, as_json: bool) -> None:
    """Find leaked, ambiguous, stale, doubled and answerable-after-all questions. Ends with 1 if there are some."""
    asked, found = _checked(settings, questions, judge)
    if as_json:
        print_json({"questions": asked, "findings": found})
    else:
        for finding in found:
            click.echo(f"{finding.number}: {finding.fault}: {finding.question}\n   {finding.reason}")
        click.echo(f"{asked} questions, {len(found)} findings", err=True)
    ctx.exit(1 if found else 0)


def _checked(settings: Settings, file: Path | None, with_judge: bool) -> "tuple[int, list[Finding]]":
    from pipeline.dataset import versions
    from pipeline.errors import SettingsError
    from pipeline.evaluation import golden, golden_check
    from pipeline.site import Site

    site = Site(settings)
    asked = golden.load(file or golden.questions_file(settings))
    judge = site.judge() if with_judge else None
    if with_judge and judge is None:
        raise SettingsError('no model judges: set teacher.judge, for example to "ollama:gemma3:27b"')
    documents = {document.id: f"{document.title}\n{document.text}" for document in site.documents()}
    known = versions.versions(settings)
    rows = versions.read_rows(versions.version_folder(settings)) if known else []
    trained = [row.pair.question for row in rows if row.split == "train"]
    with site.index() as index:
        found = golden_check.check(asked, documents, trained, site.embed, lambda text: index.search(text).passages)
        if judge:
            said = {finding.number for finding in found if finding.fault == "answerable"}
            more = asyncio.run(golden_check.judged(asked, judge, lambda text: index.search(text).passages))
            found += [finding for finding in more if finding.number not in said]
    return len(asked), sorted(found, key=lambda finding: finding.number)
