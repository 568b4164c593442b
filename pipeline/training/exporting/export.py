"""What an export is: one way to take an adapter elsewhere, and what people may wish of it.

A new one is a file with a subclass of `Export`, and a line in `pipeline.parts.EXPORTS`.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pipeline.settings import Settings
from pipeline.training.exporting.source import ExportSource

Bits = Literal[4, 8]


@dataclass(frozen=True)
class Wishes:
    to: str
    """One of `pipeline.parts.EXPORTS`."""
    folder: Path
    bits: Bits | None = None
    dequantise: bool = False
    base_model: str | None = None
    name: str | None = None
    """In Ollama; None: the run's."""
    question: str | None = None
    is_created: bool = True
    """In Ollama; else the folder alone is written."""
    is_replaced: bool = False


@dataclass(frozen=True)
class Trial:
    """One question to the model that an export has made on a server."""

    model: str
    question: str
    answer: str


@dataclass(frozen=True)
class Export(ABC):
    """One adapter on its way. Its methods are called in the order in which they stand here."""

    source: ExportSource
    wishes: Wishes
    settings: Settings

    heeds: ClassVar[frozenset[str]] = frozenset()
    """The fields of `Wishes` beside `to` and `folder` that it looks at: no others may be given for it."""

    def check(self) -> None:  # noqa: B027
        """Before anything is computed; most have nothing to check.

        Raises:
            SitetwinError: it can't be done.
        """

    def size(self) -> int:
        """About how many bytes it takes on the disk, so that too little is said first; 0: too few to matter."""
        return 0

    @abstractmethod
    def write(self, folder: Path) -> list[str]:
        """Writes it into `folder`, which gets its name `wishes.folder` afterwards; returns what people must know of it.

        Raises:
            SitetwinError: this adapter can't be taken there.
        """

    @abstractmethod
    def next_step(self) -> str:
        """What to do with `wishes.folder`, which is there now."""

    def trial(self) -> Trial | None:
        """One answer of what was made; None where no server has it.

        Raises:
            ModelError: there is none.
        """
        return None
