"""`sitetwin dataset review`, `sitetwin golden review` and `sitetwin eval label`."""

import contextlib
import secrets
import socket
from typing import TYPE_CHECKING

import click

from pipeline.commands.kit import with_settings
from pipeline.errors import ServiceError
from pipeline.settings import Settings
from web.opening import door, open_page

if TYPE_CHECKING:
    from web.review.app import Reviewed

HOST = "127.0.0.1"


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of the page; else a free one.")
@click.option("--version", type=int, help="Of the data set; else the newest.")
@click.option("--no-browser", is_flag=True, help="Print the address only.")
@with_settings
def review(settings: Settings, port: int, version: int | None, no_browser: bool) -> None:
    """Accept, edit or reject pairs one by one, on a page that only this machine sees."""
    from pipeline.dataset.versions import version_folder
    from pipeline.site import Site
    from web.review.pairs import PairReview

    version_folder(settings, version)
    site = Site(settings)
    after = "Ctrl-C ends the review; `sitetwin dataset build` then does what you decided"
    _serve(settings, PairReview(settings, site.documents, site.cut, version), after, port, no_browser)


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of the page; else a free one.")
@click.option("--no-browser", is_flag=True, help="Print the address only.")
@with_settings
def golden_review(settings: Settings, port: int, no_browser: bool) -> None:
    """Accept, edit or drop proposed golden questions one by one, on the same page."""
    from pipeline.site import Site
    from web.review.golden import GoldenReview

    site = Site(settings)
    after = "Ctrl-C ends the review; what you accepted is in your golden questions already"
    _serve(settings, GoldenReview(settings, site.documents, site.cut), after, port, no_browser)


@click.command()
@click.argument("number", type=int, required=False)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of the page; else a free one.")
@click.option("--no-browser", is_flag=True, help="Print the address only.")
@with_settings
def label(settings: Settings, number: int | None, port: int, no_browser: bool) -> None:
    """Call the answers of evaluation NUMBER, or of the latest one, right or wrong, on a page that only this machine sees."""
    from pipeline.jobs.evaluating.record import latest, read
    from web.review.answers import AnswerReview

    made = read(settings, latest(settings)[0] if number is None else number)
    after = f"Ctrl-C ends it; `sitetwin eval report {made.number}` then counts what you said"
    _serve(settings, AnswerReview(settings, made), after, port, no_browser)


def _serve(settings: Settings, reviewed: "Reviewed", after: str, port: int, no_browser: bool) -> None:
    import uvicorn

    from web.review.app import create_app

    token = secrets.token_urlsafe(16)
    app = create_app(reviewed, token)
    with _listen(port) as listener:
        address = f"http://{HOST}:{listener.getsockname()[1]}/{token}/"
        click.echo(f"{address}\n{after}")
        page = door(settings, "review", address)
        if not no_browser:
            open_page(page)  # the socket listens already
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2))
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
        page.unlink(missing_ok=True)


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise ServiceError(f"port {port} can't be used ({error.strerror}): give another --port, or none") from None
