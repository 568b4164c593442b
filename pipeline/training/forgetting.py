"""What training costs elsewhere: the loss on text that has nothing to do with the owner's notes.

`general_text.jsonl` was written for this project and is under its licence: plain paragraphs, small talk, and questions
with answers. Import this after `blas.preload()`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline import jsonl
from pipeline.training.data import TokenRow, by_length, make_batch
from pipeline.training.loop import Trainer, never
from pipeline.weights.chat_template import ChatTemplate

TEXT = Path(__file__).with_name("general_text.jsonl")


def general_rows(tokenizer: Any) -> list[TokenRow]:
    """The general text as rows. Of a paragraph every token counts, of a conversation only the answers."""
    rows = list(jsonl.read_objects(TEXT, "install sitetwin again"))
    template = ChatTemplate(tokenizer)
    texts = [TokenRow(_ended(tokenizer.encode(row["text"]), tokenizer), 0) for row in rows if "text" in row]
    return [*texts, *(TokenRow(*template.row(row["messages"])) for row in rows if "messages" in row)]


def _ended(tokens: list[int], tokenizer: Any) -> list[int]:
    return tokens if tokens[-1] == tokenizer.eos_token_id else [*tokens, tokenizer.eos_token_id]


def general_loss(trainer: Trainer, rows: list[TokenRow], stop: Callable[[], bool] = never) -> float:
    """The mean loss of the model as it is now, in nats a token. Before training it is the base's.

    Args:
        trainer: the model, and how its loss is computed.
        rows: the rows of `general_rows`.
        stop: tells whether to stop.

    Raises:
        StoppedError: `stop()` was true.
        SitetwinError: the loss is not a number.
    """
    longest = max(len(row.tokens) for row in rows)
    batches = [make_batch(batch, longest) for batch in by_length(rows, trainer.config.batch_size)]
    return trainer.mean_loss(batches, "the loss on general text", stop)
