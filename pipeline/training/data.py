"""A data set's rows as tokens, and the batches of an epoch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import TemplateError

from pipeline import jsonl
from pipeline.dataset.records import Split
from pipeline.errors import SitetwinError
from pipeline.training.config import TrainingConfig
from pipeline.weights.chat_template import ChatTemplate


@dataclass(frozen=True, slots=True)
class TokenRow:
    tokens: list[int]
    start: int
    """Place of the first token that is learnt: 0, or behind the prompt when that is masked."""


@dataclass(frozen=True, slots=True)
class Batch:
    tokens: np.ndarray
    """int32 (rows, longest); shorter rows end in zeros."""
    spans: np.ndarray
    """int32 (rows, 2): the places of the first and the last token that is learnt, as mlx-lm's default_loss takes them."""

    @property
    def learnt(self) -> int:
        """Tokens that have a loss. The first token of a row has none: nothing comes before it."""
        return int(np.maximum(self.spans[:, 1] - np.maximum(self.spans[:, 0], 1) + 1, 0).sum())


def read_rows(folder: Path, split: Split, tokenizer: Any, config: TrainingConfig) -> list[TokenRow]:
    """The rows of `split` as the model's chat template writes them; whole, however long they are.

    Raises:
        SitetwinError: a line is no row, or the template refuses it.
    """
    template = ChatTemplate(tokenizer)
    rows = []
    read = jsonl.read_objects(folder / f"{split}.jsonl", "mend that line, or run `sitetwin dataset build`")
    for number, row in enumerate(read, 1):
        try:
            tokens, start = template.row(row["messages"])
        except TemplateError as error:
            raise SitetwinError(
                f"the chat template of this model refuses {split} row {number} ({error}): set [models] chat to another model"
            ) from None
        rows.append(TokenRow(tokens, start if config.mask_prompt else 0))
    return rows


def make_batch(rows: Sequence[TokenRow], longest: int) -> Batch:
    """The rows, cut to `longest` tokens, side by side."""
    cut = [row.tokens[:longest] for row in rows]
    tokens = np.zeros((len(rows), max(map(len, cut))), np.int32)
    for place, row in enumerate(cut):
        tokens[place, : len(row)] = row
    spans = [(row.start, len(kept) - 1) for row, kept in zip(rows, cut, strict=True)]
    return Batch(tokens, np.array(spans, np.int32))


def by_length(rows: Sequence[TokenRow], size: int) -> list[list[TokenRow]]:
    """All rows in batches of about one length, so that little is padded; the last batch may be smaller."""
    ordered = sorted(rows, key=lambda row: len(row.tokens))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


class Schedule:
    """Which batch an iteration reads, from the seed and its number alone: a resumed run needs to know no more."""

    def __init__(self, rows: Sequence[TokenRow], config: TrainingConfig) -> None:
        self._rows = rows
        self._config = config
        self.per_epoch = len(rows) // config.batch_size
        self._epoch = -1
        self._batches: list[list[TokenRow]] = []

    def batch(self, iteration: int) -> Batch:
        """The batch of `iteration`, counted from 0."""
        epoch, place = divmod(iteration, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._shuffled(epoch)
        return make_batch(self._batches[place], self._config.max_seq_length)

    def _shuffled(self, epoch: int) -> list[list[TokenRow]]:
        """Other neighbours, another order and other rows left over in each epoch."""
        random = np.random.default_rng((self._config.seed, epoch))
        chosen = random.permutation(len(self._rows))[: self.per_epoch * self._config.batch_size]
        batches = by_length([self._rows[place] for place in chosen], self._config.batch_size)
        return [batches[place] for place in random.permutation(len(batches))]
