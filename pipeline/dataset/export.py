"""Accepted pairs as chat rows, in the files that other programs train on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline import files, jsonl
from pipeline.dataset.records import SPLITS, Pair, Preference, Split
from pipeline.settings import PersonaSettings
from pipeline.text.inert import without_control_tokens

OpenAIRow = dict[str, list[dict[str, str]]]
PreferenceRow = dict[str, list[dict[str, str]]]
"""`{"prompt": [system, user], "chosen": [assistant], "rejected": [assistant]}`, as TRL reads preferences."""

ROW_FILES: dict[Split, str] = {split: f"{split}.jsonl" for split in SPLITS}
"""Files of a data set's own rows; the names are mlx-lm's."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format that another program trains on."""

    files: Mapping[Split, str]
    """File name for each split that is written."""
    check: Callable[[Sequence[OpenAIRow]], None] = lambda rows: None
    """Raises a SitetwinError for training rows that the other program would refuse."""
    row: Callable[[OpenAIRow], dict[str, Any]] = lambda row: dict(row)
    """Turns a row into the other program's form."""
    beside: Mapping[str, Path] = field(default_factory=dict)
    """Files that are copied beside the rows, by the name that they get: what trains on them."""


def export(messages: Mapping[Split, Sequence[OpenAIRow]], form: Format, folder: Path) -> dict[Path, int]:
    """Write the rows of each split to `folder` in the format `form`. Returns the number of rows in each file.

    Control tokens in the rows are broken up, because other programs train on them as ends of turns.

    Raises:
        SitetwinError: the other program would refuse the rows; nothing is written.
    """
    form.check(messages["train"])
    folder.mkdir(parents=True, exist_ok=True)
    rows = {split: [form.row(_harmless(row)) for row in kept] for split, kept in messages.items()}
    written = write_rows(rows, form.files, folder)
    for name, file in form.beside.items():
        files.write_text(folder / name, file.read_text(encoding="utf-8"))
    return written


def write_rows(
    rows: Mapping[Split, Sequence[dict[str, Any]]], names: Mapping[Split, str], folder: Path
) -> dict[Path, int]:
    """Write the rows of each split that `names` gives a file, as they are. Returns the number of rows in each file."""
    for split, name in names.items():
        jsonl.write(folder / name, rows[split])
    return {folder / name: len(rows[split]) for split, name in names.items()}


def export_preferences(preferred: Iterable[Preference], persona: PersonaSettings, folder: Path) -> dict[Path, int]:
    """Write preference pairs to `folder` as TRL's DPO and ORPO read them. Returns the number of rows in each file.

    Control tokens in the rows are broken up, as in `export`.
    """
    rows = preference_rows(preferred, persona)
    folder.mkdir(parents=True, exist_ok=True)
    return write_rows({split: [_harmless(row) for row in found] for split, found in rows.items()}, ROW_FILES, folder)


def preference_rows(preferred: Iterable[Preference], persona: PersonaSettings) -> dict[Split, list[PreferenceRow]]:
    """The preference pairs by split, in TRL's form of preferences with an explicit prompt."""
    rows: dict[Split, list[PreferenceRow]] = {split: [] for split in SPLITS}
    for one in preferred:
        *prompt, chosen = chat_row(persona.instruction, one.question, one.chosen)["messages"]
        rows[one.split].append(
            {"prompt": prompt, "chosen": [chosen], "rejected": [{**chosen, "content": one.rejected}]}
        )
    return rows


def _harmless(row: Mapping[str, Sequence[dict[str, str]]]) -> dict[str, list[dict[str, str]]]:
    return {
        part: [{**said, "content": without_control_tokens(said["content"])} for said in messages]
        for part, messages in row.items()
    }


def read_messages(folder: Path) -> dict[Split, list[OpenAIRow]]:
    """The training rows of the data set in `folder`, by split.

    Raises:
        SitetwinError: a line can't be read.
    """
    mend = "mend that line, or run `sitetwin dataset build`"
    return {split: list(jsonl.read_objects(folder / name, mend)) for split, name in ROW_FILES.items()}


def chat_rows(pairs: Iterable[Pair], persona: PersonaSettings) -> list[OpenAIRow]:
    """One chat row for each pair."""
    return [chat_row(persona.instruction, pair.question, pair.answer) for pair in pairs]


def chat_row(instruction: str, question: str, answer: str) -> OpenAIRow:
    """One row, `{"messages": [system, user, assistant]}`. An empty instruction gives no system message."""
    system = [{"role": "system", "content": instruction}] if instruction else []
    return {
        "messages": [
            *system,
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
    }
