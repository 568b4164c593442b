"""`sitetwin up` and `sitetwin compare`."""

from urllib.parse import urlencode

import click
from rich.console import Console

from pipeline.commands.kit import with_settings
from pipeline.errors import ServiceError
from pipeline.settings import Settings

OPENING_SECONDS = 10
"""A browser that is still there after so long is one that returns only when it is closed."""


@click.command()
@with_settings
def up(settings: Settings) -> None:
    """Start everything: page, chat, index, model and Langflow."""
    from web.screen import UpScreen
    from web.up import up as run

    run(settings, UpScreen(Console(stderr=True)))


@click.command()
@click.argument("question", required=False)
@click.option("--systems", help="Which to ask, with commas, as for `sitetwin eval`; else those that this site has.")
@click.option("--blind", is_flag=True, help="Hide the names, and vote.")
@click.option("--no-browser", is_flag=True, help="Print the address only.")
@with_settings
def compare(settings: Settings, question: str | None, systems: str | None, blind: bool, no_browser: bool) -> None:
    """Open the page that asks several systems one question side by side, as the site's owner."""
    from pipeline.processes.endpoint import answers
    from web.opening import door, open_page
    from web.owner import kept_key

    url = settings.gateway.own_url
    if not answers(f"{url}/healthz"):
        raise ServiceError(f"nothing answers at {url}: run `sitetwin up` in another terminal")
    asked = urlencode({"q": question or "", "systems": systems or ""} | ({"blind": "1"} if blind else {}))
    # Behind the #, as a browser sends that to no server.
    address = f"{url}/compare?{asked}#key={kept_key(settings.run_directory)}"
    if no_browser:
        click.echo(address)
        return
    click.echo(f"{url}/compare opens in your browser")
    open_page(door(settings, "compare", address)).join(OPENING_SECONDS)
