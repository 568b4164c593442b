"""Ends a text before a stop string, wherever the tokens cut it. Pure."""

from collections.abc import Sequence


class Stops:
    """Watches a text that comes in pieces.

    Text that may be the begin of a stop string is held back, so no part of one is ever shown. If there are several strings,
    the first one that is complete ends the text.

    Args:
        strings: the stop strings; none may be empty.
    """

    def __init__(self, strings: Sequence[str]) -> None:
        self._strings = strings
        self._held = ""
        self.is_found = False
        """Whether a stop string was found."""

    def feed(self, piece: str) -> str:
        """The text that is certain after `piece`. If a stop string is found, it is the rest of the text before that string."""
        if self.is_found:
            return ""
        held = self._held + piece
        found = [(at + len(string), at) for string in self._strings if (at := held.find(string)) >= 0]
        self.is_found = bool(found)
        certain = min(found)[1] if found else len(held) - self._begun(held)
        self._held = "" if found else held[certain:]
        return held[:certain]

    def close(self) -> str:
        """The text that was held back; call it at the end of the text."""
        held, self._held = self._held, ""
        return held

    def _begun(self, text: str) -> int:
        """The number of characters at the end of `text` that may begin a stop string."""
        longest = min(max(map(len, self._strings), default=0) - 1, len(text))
        ends = (
            count for count in range(longest, 0, -1) for string in self._strings if string.startswith(text[-count:])
        )
        return next(ends, 0)
