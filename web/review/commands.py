"""`sitetwin dataset review` and `sitetwin golden review`."""

import contextlib
import secrets
import socket
import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.kit import with_settings
from pipeline.errors import ServiceError
from pipeline.files import write_text
from pipeline.settings import Settings

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


def _serve(settings: Settings, reviewed: "Reviewed", after: str, port: int, no_browser: bool) -> None:
    import uvicorn

    from web.review.app import create_app

    token = secrets.token_urlsafe(16)
    app = create_app(reviewed, token)
    with _listen(port) as listener:
        address = f"http://{HOST}:{listener.getsockname()[1]}/{token}/"
        click.echo(f"{address}\n{after}")
        door = _door(settings, address)
        if not no_browser:
            # In a thread, because some browsers return only when they are closed. The socket listens already.
            threading.Thread(target=webbrowser.open, args=(door.as_uri(),), daemon=True).start()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2))
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
        door.unlink(missing_ok=True)


def _door(settings: Settings, address: str) -> Path:
    """A file that redirects to `address` and that only the owner can read: every account sees a browser's command line."""
    page = settings.run_directory / "review.html"
    write_text(page, f'<meta http-equiv="refresh" content="0; url={address}">\n', mode=0o600)
    return page


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise ServiceError(f"port {port} can't be used ({error.strerror}): give another --port, or none") from None
