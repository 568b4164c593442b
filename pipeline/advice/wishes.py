"""What only the owner knows, and the words and limits that factors and rules share."""

from typing import Literal

from pydantic import BaseModel, Field

Way = Literal["rag", "lora", "both", "open"]
"""Which way something points; `open`: it is not known."""

ENOUGH_PAIRS = 500
"""Good pairs from which on the field's rule trusts an adapter; 100 to 1,000 is where one pays."""
MONTHLY = 1.0
"""Days with a change, a month; more often, and an adapter is stale before it is trained."""
SLOW_MS = 500.0
"""Milliseconds up to which nobody notices the search before an answer."""


class Wishes(BaseModel):
    """What only the owner knows; None: not asked, or not answered."""

    sources: bool | None = Field(None, description="Must a reader be able to check where an answer comes from?")
    voice: bool | None = Field(None, description="Should answers sound like you, and not only be right?")
    format: bool | None = Field(
        None, description="Do answers need a fixed form or wording that a prompt can't describe?"
    )
    regulated: bool | None = Field(None, description="Is the subject regulated, as medicine, law or finance are?")
    wait: bool | None = Field(None, description="Is half a second more before the first word acceptable?")


def either(one: bool | None, other: bool | None) -> bool | None:
    """Whether one of them is true; None: it is not known."""
    if one or other:
        return True
    return None if one is None or other is None else False
