"""Opens a page of this machine in the owner's browser without showing its secret to other accounts."""

import threading
import webbrowser
from pathlib import Path

from pipeline import files
from pipeline.settings import Settings


def door(settings: Settings, name: str, address: str) -> Path:
    """A file that leads to `address` and that only the owner can read: every account sees a browser's command line."""
    page = settings.run_directory / f"{name}.html"
    escaped = address.replace("&", "&amp;").replace('"', "&quot;")
    files.write_text(page, f'<meta http-equiv="refresh" content="0; url={escaped}">\n', mode=0o600)
    return page


def open_page(page: Path) -> threading.Thread:
    """Opens the file in a browser. In a thread, because some browsers return only when they are closed."""
    opening = threading.Thread(target=webbrowser.open, args=(page.as_uri(),), daemon=True)
    opening.start()
    return opening
