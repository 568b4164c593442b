"""What the owner said, as every reader of an export returns it."""

from collections.abc import Callable
from dataclasses import dataclass, field

MASK = "•••"


@dataclass(frozen=True, slots=True)
class Said:
    """One message of the owner."""

    text: str
    before: str = ""
    """What somebody said before it; "" if the export does not tell."""
    conversation: str = ""
    """Name of its conversation in the export; "": the whole file is one. No conversation is in two splits."""
    others: frozenset[str] = field(default_factory=frozenset)
    """Names of other people in the conversation, which are to be masked."""
    is_private: bool = False
    """Whether it was sent to some people only, so that it never becomes public."""


Reader = Callable[[str, str], list[Said]]
"""Reads the text of an export for the owner of the given name. It raises ContentError if the text is damaged."""
