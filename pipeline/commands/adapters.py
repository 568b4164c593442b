"""`sitetwin adapters` and `sitetwin adapters import`."""

from pathlib import Path

import click

from pipeline.commands.kit import as_json, print_json, with_settings
from pipeline.settings import Settings, Visibility


@click.group(invoke_without_command=True)
@as_json
@click.pass_context
def adapters(ctx: click.Context, as_json: bool) -> None:
    """List the adapters, or import one that was trained elsewhere."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(_listed, as_json=as_json)


@with_settings
def _listed(settings: Settings, as_json: bool) -> None:
    from pipeline.adapters import adapters as all_adapters
    from pipeline.adapters import promoted

    found, in_force = all_adapters(settings), promoted(settings)
    rows = [
        {
            "name": one.name,
            "base": one.base,
            "visibility": one.visibility,
            "data_set": one.dataset,
            "promoted": in_force is not None and one.name == in_force.name,
        }
        for one in found
    ]
    if as_json:
        print_json({"adapters": rows})
        return
    for row in rows:
        mark = ", promoted" if row["promoted"] else ""
        click.echo(f"{row['name']}: for {row['base'] or 'an unknown base'}, {row['visibility']}{mark}")
    if not rows:
        click.echo(
            "no adapters yet: `sitetwin train` makes one, `sitetwin adapters import FOLDER` takes one from elsewhere"
        )


@adapters.command("import")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", help="The adapter's name here; else the folder's.")
@click.option(
    "--visibility",
    type=click.Choice(["public", "private"]),
    default="private",
    show_default=True,
    help="Of the text it was trained on: only a public adapter answers visitors.",
)
@as_json
@with_settings
def import_command(settings: Settings, folder: Path, name: str | None, visibility: Visibility, as_json: bool) -> None:
    """Take an adapter that PEFT, TRL, Unsloth, axolotl or mlx-lm trained on the base that models.chat names."""
    from pipeline.weights import blas

    blas.preload(settings.engine.threads)
    from pipeline.training.importing.run import import_adapter

    adapter = import_adapter(settings, folder, name or folder.resolve().name, visibility)
    if as_json:
        print_json({"name": adapter.name, "base": adapter.base, "visibility": adapter.visibility})
        return
    click.echo(f"{adapter.name} is here, {adapter.visibility}, for {adapter.base}")
    click.echo(
        f'next: `sitetwin ask "…" --mode lora --adapter {adapter.name}` tries it, `sitetwin promote {adapter.name}` lets it answer'
    )
