"""What `sitetwin doctor` says about one thing."""

from typing import Literal

from pydantic import BaseModel


class Finding(BaseModel):
    """One thing that was examined: its state in words, and the command or setting that mends it."""

    name: str
    state: Literal["ok", "missing", "note"]
    text: str
    mend: str = ""
