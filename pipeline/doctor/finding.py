"""What doctor says of one thing."""

from typing import Literal

from pydantic import BaseModel


class Finding(BaseModel):
    name: str
    state: Literal["ok", "missing", "note"]
    text: str
    mend: str = ""
