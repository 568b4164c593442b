"""`sitetwin up`."""

import click
from rich.console import Console

from pipeline.commands.kit import with_settings
from pipeline.settings import Settings


@click.command()
@with_settings
def up(settings: Settings) -> None:
    """Start everything: page, chat, index, model and Langflow."""
    from web.screen import UpScreen
    from web.up import up as run

    run(settings, UpScreen(Console(stderr=True)))
