"""How the gateway knows the site's owner: by a key that only the owner's account can read, new at each start.

A request from this machine is no proof: a proxy in front of the gateway sends everyone's from here.
"""

import secrets
from pathlib import Path

from starlette.requests import Request

from pipeline import files

_FILE = "owner.key"


def new_key(run_directory: Path) -> str:
    """A key for this start of the gateway, kept where `kept_key` finds it."""
    key = secrets.token_urlsafe(24)
    files.write_text(run_directory / _FILE, key, mode=0o600)
    return key


def kept_key(run_directory: Path) -> str:
    """The key of the gateway that started last; "" if none did."""
    file = run_directory / _FILE
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def is_owner(request: Request, key: str) -> bool:
    """Whether the request carries the key, as `Authorization: Bearer KEY`. With an empty key nobody is the owner."""
    kind, _, sent = request.headers.get("authorization", "").partition(" ")
    return bool(key) and kind == "Bearer" and secrets.compare_digest(sent.encode(), key.encode())
