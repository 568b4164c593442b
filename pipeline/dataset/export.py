"""Accepted pairs as chat rows, in the files that others train on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import jsonl
from pipeline.dataset.records import SPLITS, Pair, Split
from pipeline.settings import PersonaSettings

Messages = dict[str, list[dict[str, str]]]

ROW_FILES: dict[Split, str] = {split: f"{split}.jsonl" for split in SPLITS}
"""What a data set's own rows stand in, under mlx-lm's names."""


@dataclass(frozen=True, slots=True)
class Format:
    """A form that others train on."""

    files: Mapping[Split, str]
    """The file's name for each split that is written."""
    check: Callable[[Sequence[Messages]], None] = lambda rows: None
    """Refuses rows to train on that would be refused there, by a SitetwinError."""


def export(messages: Mapping[Split, Sequence[Messages]], form: Format, folder: Path) -> dict[Path, int]:
    """Writes the rows of each split into `folder` in the form asked for; gives the number of each file.

    Raises:
        SitetwinError: they would be refused there; then nothing is written.
    """
    form.check(messages["train"])
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for split, name in form.files.items():
        jsonl.write(folder / name, messages[split])
        written[folder / name] = len(messages[split])
    return written


def read_messages(folder: Path) -> dict[Split, list[Messages]]:
    """The rows of a data set as they were written when it was made."""
    mend = "mend that line, or run `sitetwin dataset build`"
    return {split: list(jsonl.read_objects(folder / name, mend)) for split, name in ROW_FILES.items()}


def chat_rows(pairs: Iterable[Pair], persona: PersonaSettings) -> list[Messages]:
    """A row of each pair."""
    return [chat_row(persona.instruction, pair.question, pair.answer) for pair in pairs]


def chat_row(instruction: str, question: str, answer: str) -> Messages:
    """`{"messages": [system, user, assistant]}`; without an instruction there is no system message."""
    system = [{"role": "system", "content": instruction}] if instruction else []
    return {
        "messages": [
            *system,
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
    }
