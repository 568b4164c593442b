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
    rows: Mapping[Split, Sequence[Pair]], persona: PersonaSettings, form: Literal["mlx", "openai"], folder: Path
) -> dict[Path, int]:
    """Writes the pairs of each split into `folder` in the form asked for; gives the rows of each file.

    Raises:
        SitetwinError: OpenAI would refuse them; then nothing is written.
    """
    messages = {split: chat_rows(pairs, persona) for split, pairs in rows.items()}
    if form == "openai":
        check_openai(messages["train"])
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for split, name in FILE_NAMES[form].items():
        jsonl.write(folder / name, messages[split])
        written[folder / name] = len(messages[split])
    return written


def chat_rows(pairs: Iterable[Pair], persona: PersonaSettings) -> list[Messages]:
    """`{"messages": [system, user, assistant]}` of each pair; without a persona there is no system message."""
    instruction = persona.instruction
    system = [{"role": "system", "content": instruction}] if instruction else []
    return [
        {
            "messages": [
                *system,
                {"role": "user", "content": pair.question},
                {"role": "assistant", "content": pair.answer},
            ]
        }
        for pair in pairs
    ]


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
