"""The format of OpenAI's fine-tuning."""

from collections.abc import Sequence

from pipeline.dataset.export import Format, OpenAIRow
from pipeline.errors import SitetwinError

FEWEST = 10
"""Fewest training rows that OpenAI's fine-tuning accepts."""
TOKENS = 65_536
"""Tokens of the longest row that every OpenAI model accepts. One token counts as CHARS_PER_TOKEN characters, to be safe."""
CHARS_PER_TOKEN = 3


def check(rows: Sequence[OpenAIRow]) -> None:
    """Refuse training rows that OpenAI would refuse.

    Raises:
        SitetwinError: too few rows, an empty message, a row that is too long, or a row that does not end with an answer.
    """
    if len(rows) < FEWEST:
        raise SitetwinError(
            f"OpenAI wants at least {FEWEST} rows to train on, there are {len(rows)}: add notes, "
            "or raise dataset.pairs_per_chunk and build again"
        )
    for number, row in enumerate(rows, 1):
        messages = row["messages"]
        if any(not message["content"].strip() for message in messages):
            raise SitetwinError(f"row {number} has an empty message: reject it in `sitetwin dataset review`")
        if messages[-1]["role"] != "assistant":
            raise SitetwinError(f"row {number} does not end with an answer: reject it in `sitetwin dataset review`")
        if sum(len(message["content"]) for message in messages) > TOKENS * CHARS_PER_TOKEN:
            raise SitetwinError(f"row {number} is too long for OpenAI: shorten it in `sitetwin dataset review`")


OPENAI = Format({"train": "training.jsonl", "valid": "validation.jsonl"}, check)
"""The test rows are not exported, because evaluation needs them here."""
