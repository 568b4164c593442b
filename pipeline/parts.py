"""The parts that settings and options choose by name. A new part is one file and one line in its table here.

A line says where the part is, as "module:attribute". So a part is imported only when it is used, and settings can name
parts of rooms above them. Another distribution adds a part by an entry point of the table's group.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.tables import Table


class Parts(Table):
    """A table of parts that are chosen by their bare name.

    Args:
        what: the kind of part, in words for people.
        group: the group of entry points by which other distributions add parts.
        own: where sitetwin's own parts are, in the order in which they are shown and used.
        beside: further names that may be chosen, although they are not parts of the table.
    """

    def __init__(self, what: str, group: str, own: Mapping[str, str], beside: Sequence[str] = ()) -> None:
        super().__init__(group, own)
        self._what, self._ready, self._beside = what, frozenset((*own, *beside)), beside

    def choices(self) -> list[str]:
        """All names that may be chosen: the parts, then the names beside them."""
        return [*self.kinds(), *self._beside]

    def known(self, name: str) -> str:
        """`name` itself, as pydantic's validators must return it.

        Raises:
            ValueError: there is no such part.
        """
        if name not in self._ready and name not in self.kinds():
            raise ValueError(f"{name!r} is no {self._what}: choose one of {', '.join(self.choices())}")
        return name

    def load(self, name: str) -> Any:
        """The object that the part `name` stands for.

        Raises:
            ValueError: there is no such part.
        """
        return self.find(self.known(name))


CONTENT_KINDS = Parts(
    "content kind",
    "sitetwin.content_kinds",
    {
        "obsidian": "pipeline.content.kinds.obsidian:OBSIDIAN",
        "quartz": "pipeline.content.kinds.quartz:QUARTZ",
        "hugo": "pipeline.content.kinds.hugo:HUGO",
        "docusaurus": "pipeline.content.kinds.docusaurus:DOCUSAURUS",
        "vitepress": "pipeline.content.kinds.vitepress:VITEPRESS",
        "mkdocs": "pipeline.content.kinds.mkdocs:MKDOCS",
        "sphinx": "pipeline.content.kinds.sphinx:SPHINX",
        "astro": "pipeline.content.kinds.astro:ASTRO",
        "eleventy": "pipeline.content.kinds.eleventy:ELEVENTY",
        "jekyll": "pipeline.content.kinds.jekyll:JEKYLL",
        "markdown": "pipeline.content.kinds.markdown:MARKDOWN",
    },
)
"""Each part is a `pipeline.content.kinds.kind.ContentKind`; `sitetwin init` asks them in this order."""

CHUNKERS = Parts(
    "chunker",
    "sitetwin.chunkers",
    {
        "structure": "pipeline.content.chunkers.structure:structure",
        "fixed": "pipeline.content.chunkers.fixed:fixed",
        "semantic": "pipeline.content.chunkers.semantic:semantic",
    },
)
"""Each part is a `pipeline.content.chunking.Chunker`."""

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
"""Each part is a `pipeline.dataset.filters.stages.Stage`; they are asked in this order. The names beside them are the
stages that look at all pairs together. The build runs those afterwards."""

DATASET_FORMATS = Parts(
    "format",
    "sitetwin.dataset_formats",
    {
        "mlx": "pipeline.dataset.formats.mlx:MLX",
        "openai": "pipeline.dataset.formats.openai:OPENAI",
        "trl": "pipeline.dataset.formats.trl:TRL",
        "unsloth": "pipeline.dataset.formats.trl:UNSLOTH",
        "axolotl": "pipeline.dataset.formats.axolotl:AXOLOTL",
    },
)
"""Each part is a `pipeline.dataset.export.Format`."""

EXPORTS = Parts(
    "export",
    "sitetwin.exports",
    {
        "fused": "pipeline.training.exporting.fused:Fused",
        "gguf": "pipeline.training.exporting.gguf:Gguf",
        "ollama": "pipeline.training.exporting.ollama:Ollama",
        "peft": "pipeline.training.exporting.peft:Peft",
    },
)
"""Each part is a subclass of `pipeline.training.exporting.export.Export`."""
