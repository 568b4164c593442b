"""`sitetwin dataset`: turns notes into pairs for training."""

import asyncio
from pathlib import Path

import click

from pipeline.commands.kit import Commands, PartName, as_json, print_json, with_settings
from pipeline.parts import DATASET_FORMATS, Parts
from pipeline.settings import Settings


@click.group(cls=Commands, parts=Parts("command", "sitetwin.dataset_commands", {}))
def dataset() -> None:
    """Question-answer pairs of your notes, to train on."""


@dataset.command()
@as_json
@with_settings
def build(settings: Settings, as_json: bool) -> None:
    """Ask the teacher for what is new, throw away what is bad, and write a version."""
    from pipeline.commands.dataset_progress import progress_bar
    from pipeline.dataset.stats import stats
    from pipeline.dataset.versions import version_folder
    from pipeline.site import Site

    with progress_bar() as report:
        built = asyncio.run(Site(settings).build_dataset(report))
    if settings.dataset.split_by == "pair":
        click.echo(
            "split by pair: one document's questions are in training and test, so the test's scores are too good",
            err=True,
        )
    for reason in built.left_out:
        click.echo(f"left out: {reason}", err=True)
    for reason in built.unreadable[:3]:
        click.echo(f"left out: {reason}", err=True)
    found = stats(version_folder(settings, built.card.version))
    if as_json:
        print_json({**found.model_dump(mode="json"), "new": built.new, "asked": built.asked, "judged": built.judged})
        return
    state = "written" if built.new else "unchanged"
    click.echo(
        f"data set {found.version} {state}: {found.pairs.accepted} pairs accepted, {found.pairs.rejected} rejected"
    )
    click.echo(f"the teacher was asked {built.asked} times, the judge {built.judged} times")
    click.echo("next: `sitetwin dataset stats`, `sitetwin dataset review`")


@dataset.command()
@click.option("--version", type=int, help="The data set's version; else the newest.")
@as_json
@with_settings
def stats(settings: Settings, version: int | None, as_json: bool) -> None:
    """Show what was accepted, and what was rejected and why, with examples."""
    from pipeline.dataset.stats import describe
    from pipeline.dataset.stats import stats as count
    from pipeline.dataset.versions import version_folder

    folder = version_folder(settings, version)
    if as_json:
        print_json(count(folder))
        return
    for line in describe(folder):
        click.echo(line)


@dataset.command()
@click.option("--format", "form", type=PartName(DATASET_FORMATS), help="The program that trains on them.")
@click.option("--preferences", is_flag=True, help="Write the preference pairs, as TRL reads them, and not the rows.")
@click.option("--decisions", is_flag=True, help="Write what you decided in the review, and not the rows.")
@click.option("--to", type=click.Path(path_type=Path), help="The folder to write into; else one beside the data set.")
@click.option("--version", type=int, help="The data set's version; else the newest.")
@as_json
@with_settings
def export(
    settings: Settings,
    form: str | None,
    preferences: bool,
    decisions: bool,
    to: Path | None,
    version: int | None,
    as_json: bool,
) -> None:
    """Write the pairs as files that another program trains on, with its script or configuration where it needs one."""
    from pipeline.dataset.decided import export_decided
    from pipeline.dataset.export import export as write
    from pipeline.dataset.export import export_preferences, read_messages
    from pipeline.dataset.versions import read_card, read_preferences, version_folder

    if (form is not None) + preferences + decisions != 1:
        raise click.UsageError("name either --format, for rows to train on, or --preferences, or --decisions")
    folder = version_folder(settings, version)
    folder_of = to or folder / (form or ("preferences" if preferences else "decisions"))
    beside: list[str] = []
    if decisions:
        files, gone = export_decided(settings, folder, folder_of)
        if gone:
            click.echo(f"left out: {gone} about pairs that data set {read_card(folder).version} has not", err=True)
    elif form is None:
        persona = read_card(folder).persona
        files = export_preferences(read_preferences(folder), persona, folder_of)
    else:
        form_of = DATASET_FORMATS.load(form)
        files, beside = write(read_messages(folder), form_of, folder_of), list(form_of.beside)
    if as_json:
        print_json({"files": {str(path): rows for path, rows in files.items()}})
        return
    for path, rows in files.items():
        click.echo(f"{path}: {rows} rows")
    for name in beside:
        click.echo(f"{folder_of / name}: trains on them; its first lines say how")
