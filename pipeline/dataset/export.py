"""Accepted pairs as chat rows: for MLX, and for fine-tuning at OpenAI."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pipeline import jsonl
from pipeline.dataset.records import SPLITS, Pair, Split
from pipeline.errors import SitetwinError
from pipeline.settings import PersonaSettings

Messages = dict[str, list[dict[str, str]]]

OPENAI_FEWEST = 10
"""Rows that fine-tuning at OpenAI asks for."""
OPENAI_TOKENS = 65_536
"""Longest row that every model of theirs takes; counted here as CHARS_PER_TOKEN characters each, which is on the safe side."""
CHARS_PER_TOKEN = 3


FILE_NAMES: dict[Literal["mlx", "openai"], dict[Split, str]] = {
    "mlx": {split: f"{split}.jsonl" for split in SPLITS},
    "openai": {"train": "training.jsonl", "valid": "validation.jsonl"},
}
"""What is written of each split; the test rows are for testing here, so nobody else is given them."""


def export(
    messages: Mapping[Split, Sequence[Messages]], form: Literal["mlx", "openai"], folder: Path
) -> dict[Path, int]:
    """Writes the rows of each split into `folder` in the form asked for; gives the number of each file.

    Raises:
        SitetwinError: OpenAI would refuse them; then nothing is written.
    """
    if form == "openai":
        check_openai(messages["train"])
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for split, name in FILE_NAMES[form].items():
        jsonl.write(folder / name, messages[split])
        written[folder / name] = len(messages[split])
    return written


def read_messages(folder: Path) -> dict[Split, list[Messages]]:
    """The rows of a data set as they were written when it was made."""
    mend = "mend that line, or run `sitetwin dataset build`"
    return {split: list(jsonl.read_objects(folder / name, mend)) for split, name in FILE_NAMES["mlx"].items()}


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


def check_openai(rows: Sequence[Messages]) -> None:
    """Refuses what OpenAI's upload would refuse.

    Raises:
        SitetwinError: too few rows, an empty message, a row that is too long, or one that no assistant ends.
    """
    if len(rows) < OPENAI_FEWEST:
        raise SitetwinError(
            f"OpenAI wants at least {OPENAI_FEWEST} rows to train on, there are {len(rows)}: add notes, "
            "or raise dataset.pairs_per_chunk and build again"
        )
    for number, row in enumerate(rows, 1):
        messages = row["messages"]
        if any(not message["content"].strip() for message in messages):
            raise SitetwinError(f"row {number} has an empty message: reject it in `sitetwin dataset review`")
        if messages[-1]["role"] != "assistant":
            raise SitetwinError(f"row {number} does not end with an answer: reject it in `sitetwin dataset review`")
        if sum(len(message["content"]) for message in messages) > OPENAI_TOKENS * CHARS_PER_TOKEN:
            raise SitetwinError(f"row {number} is too long for OpenAI: shorten it in `sitetwin dataset review`")
