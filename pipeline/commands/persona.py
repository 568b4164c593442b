"""`sitetwin persona`: how the assistant sounds."""

import click

from pipeline.commands.kit import as_json, print_json, with_settings
from pipeline.settings import Settings


@click.group()
def persona() -> None:
    """How the assistant sounds."""


@persona.command("draft")
@click.option("--write", "is_written", is_flag=True, help="Write it into sitetwin.toml, if there is no persona yet.")
@as_json
@with_settings
def draft_command(settings: Settings, is_written: bool, as_json: bool) -> None:
    """Draft a persona from your public notes."""
    from pipeline.dataset.build import choose_documents
    from pipeline.dataset.persona import as_toml, draft, write
    from pipeline.site import Site

    site = settings.site.name if "name" in settings.site.model_fields_set else ""
    found = draft(choose_documents(Site(settings).documents(), "public"), site)
    block = as_toml(found)
    if is_written:
        write(settings.file, block)
    if as_json:
        print_json({**found.model_dump(), "toml": block, "written": str(settings.file) if is_written else None})
        return
    click.echo(block, nl=False)
    if is_written:
        click.echo(f"wrote it into {settings.file}: read it and change what does not sound like you", err=True)
    else:
        click.echo("put it into sitetwin.toml by hand or with `sitetwin persona draft --write`", err=True)
