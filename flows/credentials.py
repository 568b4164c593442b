"""The secrets of this site's Langflow. They are made once and kept in a file that only the owner can read."""

import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ValidationError

from pipeline.errors import ServiceError

FILE_NAME = "credentials.json"


class Credentials(BaseModel):
    """The secrets of one Langflow."""

    api_key: str
    """The gateway sends it as `x-api-key`."""
    username: str
    password: str
    """The guard uses it to log the owner in at Langflow; nobody types it."""


def load_credentials(directory: Path) -> Credentials:
    """The secrets kept in `directory`. The first call makes them; two processes at once get the same ones.

    Raises:
        ServiceError: the file is broken.
    """
    path = directory / FILE_NAME
    if not path.exists():
        _create(path)
    try:
        return Credentials.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError:
        raise ServiceError(f"{path} is broken: delete the folder {directory}, then run `sitetwin up` again") from None


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = Credentials(api_key=f"sk-{secrets.token_urlsafe(32)}", username="owner", password=secrets.token_urlsafe(24))
    draft = path.with_name(f"{FILE_NAME}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(made.model_dump_json())
    try:
        # Unlike a rename, a link does not replace the file of a process that was first.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
