"""What every chunker gives: texts, each with the section that it belongs to."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from pipeline.content.documents import Document
from pipeline.content.packing import Cut
from pipeline.content.structure import Section
from pipeline.settings import IndexSettings

Placed = Iterator[tuple[Section, Cut]]
Embed = Callable[[Sequence[str]], np.ndarray]
"""Texts to float32 (texts, dimension), rows of length 1."""
Chunker = Callable[[Document, IndexSettings, Embed], Placed]


def alone(section: Section) -> list[Cut]:
    """The heading of a section that holds nothing, so that it is found all the same."""
    return [Cut(section.heading, *section.span)] if section.heading else []
