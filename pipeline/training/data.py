"""A data set's rows and preferences as tokens, and the batches of an epoch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jinja2 import TemplateError

from pipeline import jsonl
from pipeline.dataset import versions
from pipeline.dataset.export import preference_rows
from pipeline.dataset.records import Split
from pipeline.errors import SitetwinError
from pipeline.training.config import TrainingConfig
from pipeline.weights.chat_template import ChatTemplate


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One row: a whole conversation as tokens."""

    tokens: list[int]
    start: int
    """The index of the first learnt token: 0, or the first after the prompt if the prompt is masked."""
    reference: float = 0.0
    """The log-probability that the reference gives its learnt tokens together, in nats. DPO reads it."""

    @property
    def rows(self) -> "tuple[TokenRow, ...]":
        """The rows of a batch that it becomes: itself."""
        return (self,)

    @property
    def longest(self) -> int:
        """How many tokens it has."""
        return len(self.tokens)


@dataclass(frozen=True, slots=True)
class TokenPreference:
    """Two answers to one prompt."""

    chosen: TokenRow
    rejected: TokenRow

    @property
    def rows(self) -> tuple[TokenRow, ...]:
        """The rows of a batch that it becomes: the chosen answer, then the rejected one."""
        return self.chosen, self.rejected

    @property
    def longest(self) -> int:
        """The tokens of the longer answer with the prompt."""
        return max(len(row.tokens) for row in self.rows)


TrainingRow = TokenRow | TokenPreference
R = TypeVar("R", bound=TrainingRow)


@dataclass(frozen=True, slots=True)
class Batch:
    """Several rows side by side."""

    tokens: np.ndarray
    """int32 (rows, longest). Shorter rows end in zeros."""
    spans: np.ndarray
    """int32 (rows, 2): the indices of the first and the last learnt token, as mlx-lm's default_loss takes them."""
    reference: np.ndarray
    """float32 (rows,): `TokenRow.reference` of each row."""

    @property
    def lengths(self) -> np.ndarray:
        """int32 (rows,): how many tokens of each row have a loss. Its first has none, because nothing comes before it."""
        lengths: np.ndarray = np.maximum(self.spans[:, 1] - np.maximum(self.spans[:, 0], 1) + 1, 0)
        return lengths

    @property
    def learnt(self) -> int:
        """How many tokens have a loss."""
        return int(self.lengths.sum())


def read_rows(folder: Path, split: Split, tokenizer: Any, config: TrainingConfig) -> list[TokenRow]:
    """The rows of `split`, as the model's chat template writes them. Long rows are not cut.

    Args:
        folder: the data set's folder.
        split: which rows to read.
        tokenizer: mlx-lm's, of the base.
        config: says whether the prompt is masked.

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
            raise SitetwinError(_refused(error, f"{split} row {number}")) from None
        rows.append(TokenRow(tokens, start if config.mask_prompt else 0))
    return rows


def read_preferences(folder: Path, split: Split, tokenizer: Any) -> list[TokenPreference]:
    """The preferences of `split`, as the model's chat template writes both answers. The prompt is never learnt.

    Args:
        folder: the data set's folder.
        split: which preferences to read.
        tokenizer: mlx-lm's, of the base.

    Raises:
        SitetwinError: a line can't be read, or the template refuses it.
    """
    template = ChatTemplate(tokenizer)
    found = []
    for row in preference_rows(versions.read_preferences(folder), versions.read_card(folder).persona)[split]:
        try:
            both = [TokenRow(*template.row([*row["prompt"], *row[side]])) for side in ("chosen", "rejected")]
        except TemplateError as error:
            raise SitetwinError(_refused(error, f"the preference {row['prompt'][-1]['content']!r}")) from None
        found.append(TokenPreference(*both))
    return found


def _refused(error: TemplateError, what: str) -> str:
    return f"the chat template of this model refuses {what} ({error}): set [models] chat to another model"


def make_batch(rows: Sequence[TrainingRow], longest: int) -> Batch:
    """The rows side by side, each cut to `longest` tokens. Of two answers, the chosen one comes first."""
    single = [one for row in rows for one in row.rows]
    cut = [row.tokens[:longest] for row in single]
    tokens = np.zeros((len(single), max(map(len, cut))), np.int32)
    for place, row in enumerate(cut):
        tokens[place, : len(row)] = row
    spans = [(row.start, len(kept) - 1) for row, kept in zip(single, cut, strict=True)]
    return Batch(tokens, np.array(spans, np.int32), np.array([row.reference for row in single], np.float32))


def by_length(rows: Sequence[R], size: int) -> list[list[R]]:
    """All rows in batches of `size`, each of similar length, so that little is padded. The last batch may be smaller."""
    ordered = sorted(rows, key=lambda row: row.longest)
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


class BatchOrder:
    """Which batch each iteration reads. It depends only on the seed and the iteration's number, so a resumed run can go on."""

    def __init__(self, rows: Sequence[TrainingRow], config: TrainingConfig) -> None:
        self._rows = rows
        self._config = config
        self.per_epoch = len(rows) // config.batch_size
        self._epoch = -1
        self._batches: list[list[TrainingRow]] = []

    def batch(self, iteration: int) -> Batch:
        """The batch of `iteration`, counted from 0."""
        epoch, place = divmod(iteration, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._shuffled(epoch)
        return make_batch(self._batches[place], self._config.max_seq_length)

    def _shuffled(self, epoch: int) -> list[list[TrainingRow]]:
        """The batches of an epoch. In each epoch rows have other neighbours, another order, and others are left over."""
        random = np.random.default_rng((self._config.seed, epoch))
        chosen = random.permutation(len(self._rows))[: self.per_epoch * self._config.batch_size]
        batches = by_length([self._rows[place] for place in chosen], self._config.batch_size)
        return [batches[place] for place in random.permutation(len(batches))]
