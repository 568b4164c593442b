"""The parts that settings and options choose by name: a new one is a file, and a line in its table here.

A line says where the part is, as "module:attribute", so that a part is imported when it is used and settings can name
parts of the rooms above them. Another distribution adds a part by an entry point of the table's group.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.tables import Table


class Parts(Table):
    """A table of parts that are chosen by their bare name.

    Args:
        what: the kind of part, in words for people.
        group: the entry points of other distributions.
        own: where sitetwin's own parts are, in the order in which they are shown and used.
        beside: other names that may be chosen, which are no parts.
    """

    def __init__(self, what: str, group: str, own: Mapping[str, str], beside: Sequence[str] = ()) -> None:
        super().__init__(group, own)
        self._what, self._ready, self._beside = what, frozenset((*own, *beside)), beside

    def choices(self) -> list[str]:
        """What may be chosen: all parts, and what stands beside them."""
        return [*self.kinds(), *self._beside]

    def known(self, name: str) -> str:
        """`name`, as pydantic wants its validators.

        Raises:
            ValueError: there is no such part.
        """
        if name not in self._ready and name not in self.kinds():
            raise ValueError(f"{name!r} is no {self._what}: choose one of {', '.join(self.choices())}")
        return name

    def load(self, name: str) -> Any:
        """The part itself.

        Raises:
            ValueError: there is no such part.
        """
        return self.find(self.known(name))


CHUNKERS = Parts(
    "chunker",
    "sitetwin.chunkers",
    {
        "structure": "pipeline.content.chunkers.structure:structure",
        "fixed": "pipeline.content.chunkers.fixed:fixed",
        "semantic": "pipeline.content.chunkers.semantic:semantic",
    },
)
"""Each a `pipeline.content.chunking.Chunker`."""

FILTER_STAGES = Parts(
    "stage of the filter",
    "sitetwin.filter_stages",
    {
        "score": "pipeline.dataset.filters.score:score",
        "length": "pipeline.dataset.filters.form:length",
        "form": "pipeline.dataset.filters.form:form",
        "language": "pipeline.dataset.filters.language:language",
        "privacy": "pipeline.dataset.filters.privacy:privacy",
        "grounding": "pipeline.dataset.filters.grounding:grounding",
    },
    beside=("relevance", "duplicates", "judge"),
)
"""Each a `pipeline.dataset.filters.stages.Stage`, asked in this order. Beside them are the stages that look at all pairs
together, which the build runs after them."""

DATASET_FORMATS = Parts(
    "format",
    "sitetwin.dataset_formats",
    {
        "mlx": "pipeline.dataset.formats.mlx:MLX",
        "openai": "pipeline.dataset.formats.openai:OPENAI",
    },
)
"""Each a `pipeline.dataset.export.Format`."""
