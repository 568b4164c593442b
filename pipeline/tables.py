"""What a setting may name by KIND or KIND:NAME: ours in a table, then what other packages bring as entry points."""

import importlib
import importlib.metadata
from collections.abc import Mapping
from typing import Any


class Table:
    """Kinds and where each one's factory is.

    Args:
        group: of entry points, by which another package adds a kind.
        own: `module:attribute` of each of ours; imported when it is asked for, so that a start stays quick.
    """

    def __init__(self, group: str, own: Mapping[str, str]) -> None:
        self._group = group
        self._own = own

    def find(self, kind: str) -> Any:
        """The factory of `kind`; None when nobody brings it."""
        if place := self._own.get(kind):
            module, _, attribute = place.partition(":")
            return getattr(importlib.import_module(module), attribute)
        if not kind.isidentifier():
            return None
        return next((point.load() for point in importlib.metadata.entry_points(group=self._group, name=kind)), None)

    def kinds(self) -> list[str]:
        """All that can be named, ours first."""
        others = {point.name for point in importlib.metadata.entry_points(group=self._group)}
        return [*self._own, *sorted(others - self._own.keys())]
