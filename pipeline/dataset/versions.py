"""Data sets on disk: numbered folders that never change once they exist.

A folder holds `card.json`, `pairs.jsonl`, `rejected.jsonl`, `preferences.jsonl`, and `train.jsonl`, `valid.jsonl` and
`test.jsonl` as mlx-lm reads them (`--data FOLDER`).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from pipeline import files, jsonl
from pipeline.dataset.export import ROW_FILES, OpenAIRow, chat_rows, write_rows
from pipeline.dataset.records import SPLITS, Pair, Preference, Rejection, Split
from pipeline.errors import SitetwinError
from pipeline.settings import DatasetSettings, PersonaSettings, Settings, Visibility

CARD, PAIRS, REJECTED, PREFERENCES = "card.json", "pairs.jsonl", "rejected.jsonl", "preferences.jsonl"
_MEND = "mend that line, or remove the data set's folder and run `sitetwin dataset build`"


class DatasetRow(BaseModel):
    """An accepted pair in its split."""

    pair: Pair
    split: Split
    original: str
    """Id of the pair as the teacher wrote it; it differs from the pair's if the owner has edited it."""


class Rejected(BaseModel):
    """A pair that is not trained on, as the teacher wrote it."""

    pair: Pair
    rejection: Rejection


class DatasetCard(BaseModel):
    """What a data set was made from, and how."""

    version: int
    made_at: datetime
    visibility: Visibility
    """Visibility of the adapters that may be trained on it. A public adapter must never see a private data set."""
    teacher: str
    prompt: str = ""
    """The owner's own prompt for the teacher; empty: the prompt of the version in the teacher's name."""
    judge: str | None
    """Name of the judge; None: no model judged the pairs."""
    settings: DatasetSettings
    persona: PersonaSettings
    corpus: str
    """SHA-256, in hex, over all chunks that the teacher was asked about."""
    documents: int
    chunks: int
    failed_tasks: int
    """Tasks of which no answer could be read."""
    accepted: int
    rejected: int
    splits: dict[Split, int]
    """Accepted pairs by split."""
    training_rows: dict[Split, int] = {}
    """Training rows by split, including those with passages. Empty in older data sets, which have one row per pair."""
    paraphrases: int = 0
    """Training rows that ask a pair's question in other words."""
    split_of: dict[str, Split]
    """Split by document id. Evaluation takes its questions from the test documents."""
    near_duplicates: list[list[str]]
    """Groups of documents with mostly the same text, which are in one split."""


def datasets_directory(settings: Settings) -> Path:
    """The folder of all data sets; it may not exist yet."""
    return settings.state / "datasets"


def versions(settings: Settings) -> list[int]:
    """The numbers of the existing data sets, the oldest first."""
    folder = datasets_directory(settings)
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    return sorted(int(name[1:]) for name in names if name.startswith("v") and name[1:].isdigit())


def version_folder(settings: Settings, version: int | None = None) -> Path:
    """The folder of the data set `version`; None: the newest one.

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
    card: DatasetCard,
    rows: Iterable[DatasetRow],
    rejected: Iterable[Rejected],
    messages: Mapping[Split, Sequence[OpenAIRow]] | None = None,
    preferred: Iterable[Preference] = (),
) -> Path:
    """Write a data set with the number of its card, whole or not at all. Returns its folder.

    Args:
        messages: training rows by split; None: one row per pair.
    """
    folder = datasets_directory(settings) / f"v{card.version}"
    rows = list(rows)
    with files.new_folder(folder) as draft:
        jsonl.write(draft / PAIRS, rows)
        jsonl.write(draft / REJECTED, rejected)
        jsonl.write(draft / PREFERENCES, preferred)
        write_rows(messages or {s: chat_rows(p, card.persona) for s, p in by_split(rows).items()}, ROW_FILES, draft)
        files.write_text(draft / CARD, card.model_dump_json(indent=2) + "\n")
    return folder


def read_card(folder: Path) -> DatasetCard:
    """The card of the data set in `folder`."""
    return DatasetCard.model_validate_json((folder / CARD).read_bytes())


def read_rows(folder: Path) -> list[DatasetRow]:
    """The accepted pairs of the data set in `folder`."""
    return jsonl.read(folder / PAIRS, DatasetRow, _MEND)


def read_rejected(folder: Path) -> list[Rejected]:
    """The rejected pairs of the data set in `folder`."""
    return jsonl.read(folder / REJECTED, Rejected, _MEND)


def read_preferences(folder: Path) -> list[Preference]:
    """The preference pairs of the data set in `folder`; [] for a data set of an older sitetwin."""
    file = folder / PREFERENCES
    return jsonl.read(file, Preference, _MEND) if file.exists() else []


def by_split(rows: Iterable[DatasetRow]) -> dict[Split, list[Pair]]:
    """The pairs of `rows` by split."""
    pairs: dict[Split, list[Pair]] = {split: [] for split in SPLITS}
    for row in rows:
        pairs[row.split].append(row.pair)
    return pairs
