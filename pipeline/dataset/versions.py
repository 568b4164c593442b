"""Data sets on disk: numbered folders that never change once they are there.

A folder holds `card.json`, `pairs.jsonl`, `rejected.jsonl`, and `train.jsonl`, `valid.jsonl` and `test.jsonl` as mlx-lm
reads them (`--data FOLDER`).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from pipeline import files, jsonl
from pipeline.dataset.export import Messages, chat_rows, export
from pipeline.dataset.formats.mlx import MLX
from pipeline.dataset.records import SPLITS, Pair, Rejection, Split
from pipeline.errors import SitetwinError
from pipeline.settings import DatasetSettings, PersonaSettings, Settings, Visibility

CARD, PAIRS, REJECTED = "card.json", "pairs.jsonl", "rejected.jsonl"
_MEND = "mend that line, or remove the data set's folder and run `sitetwin dataset build`"


class Row(BaseModel):
    """An accepted pair in its split."""

    pair: Pair
    split: Split
    original: str
    """Id of the pair as the teacher wrote it: another one when the owner has edited it."""


class Rejected(BaseModel):
    """A pair that is not trained on, as the teacher wrote it."""

    pair: Pair
    rejection: Rejection


class Card(BaseModel):
    """What a data set is made of, and how."""

    version: int
    made_at: datetime
    visibility: Visibility
    """Whose adapter may be trained on it: a public one must never see a private set."""
    teacher: str
    prompt: str = ""
    """The owner's own prompt of the teacher; empty: the one of the version that the teacher's name holds."""
    judge: str | None
    """None: no model has judged the pairs."""
    settings: DatasetSettings
    persona: PersonaSettings
    corpus: str
    """SHA-256 over all chunks that pairs were asked for, in hex."""
    documents: int
    chunks: int
    failed_tasks: int
    """Requests that the teacher answered with nothing readable."""
    accepted: int
    rejected: int
    splits: dict[Split, int]
    """Pairs in each."""
    training_rows: dict[Split, int] = {}
    """Rows in each, with those that have passages; empty in data sets of before, which have one row for a pair."""
    split_of: dict[str, Split]
    """By document id; evaluation takes its questions from the test documents."""
    near_duplicates: list[list[str]]
    """Documents that are mostly the same text, and so are on one side."""


def datasets_directory(settings: Settings) -> Path:
    return settings.state / "datasets"


def versions(settings: Settings) -> list[int]:
    """Numbers of the data sets that are there, oldest first."""
    folder = datasets_directory(settings)
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    return sorted(int(name[1:]) for name in names if name.startswith("v") and name[1:].isdigit())


def version_folder(settings: Settings, version: int | None = None) -> Path:
    """The folder of a data set; None: the newest.

    Raises:
        SitetwinError: there is no such data set.
    """
    known = versions(settings)
    if not known:
        raise SitetwinError("there is no data set yet: run `sitetwin dataset build`")
    if version is not None and version not in known:
        raise SitetwinError(f"there is no data set {version}: name one of {', '.join(map(str, known))}")
    return datasets_directory(settings) / f"v{version or known[-1]}"


def write_version(
    settings: Settings,
    card: Card,
    rows: Iterable[Row],
    rejected: Iterable[Rejected],
    messages: Mapping[Split, Sequence[Messages]] | None = None,
) -> Path:
    """The folder, there whole or not at all; its number is the card's.

    Args:
        messages: what is trained on; None: the pairs alone.
    """
    folder = datasets_directory(settings) / f"v{card.version}"
    rows = list(rows)
    with files.new_folder(folder) as draft:
        jsonl.write(draft / PAIRS, rows)
        jsonl.write(draft / REJECTED, rejected)
        export(messages or {s: chat_rows(p, card.persona) for s, p in by_split(rows).items()}, MLX, draft)
        files.write_text(draft / CARD, card.model_dump_json(indent=2) + "\n")
    return folder


def read_card(folder: Path) -> Card:
    return Card.model_validate_json((folder / CARD).read_bytes())


def read_rows(folder: Path) -> list[Row]:
    return jsonl.read(folder / PAIRS, Row, _MEND)


def read_rejected(folder: Path) -> list[Rejected]:
    return jsonl.read(folder / REJECTED, Rejected, _MEND)


def by_split(rows: Iterable[Row]) -> dict[Split, list[Pair]]:
    pairs: dict[Split, list[Pair]] = {split: [] for split in SPLITS}
    for row in rows:
        pairs[row.split].append(row.pair)
    return pairs
