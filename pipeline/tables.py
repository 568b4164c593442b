"""The kinds that a setting may name as KIND or KIND:NAME: ours first, then those that other packages add as entry points."""

import importlib
import importlib.metadata
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any


class Table:
    """Finds the factory of a kind by its name.

    Args:
        group: the group of entry points by which another package adds a kind.
        own: our kinds, each with its `module:attribute`. A module is imported when it is asked for, so a start stays quick.
    """

    def __init__(self, group: str, own: Mapping[str, str]) -> None:
        self._group = group
        self._own = own

    def find(self, kind: str) -> Any:
        """The factory of `kind`; None if neither we nor another package has it."""
        if place := self._own.get(kind):
            module, _, attribute = place.partition(":")
            return getattr(importlib.import_module(module), attribute)
        if not kind.isidentifier():
            return None
        return next((point.load() for point in self._points() if point.name == kind), None)

    def kinds(self) -> list[str]:
        """The names of all kinds, ours first."""
        others = {point.name for point in self._points()}
        return [*self._own, *sorted(others - self._own.keys())]

    def _points(self) -> importlib.metadata.EntryPoints:
        return _points_of(self._group, tuple(sys.path))


@lru_cache
def _points_of(group: str, path: tuple[str, ...]) -> importlib.metadata.EntryPoints:
    """Entry points of the packages on the import path `path`. It takes some 50 ms, and the help asks for each command."""
    return importlib.metadata.entry_points(group=group)
