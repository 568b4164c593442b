"""Training rows with passages before the question, as in mode hybrid, so that an adapter learns to read passages.

After RAFT (arXiv 2403.10131): a row mixes the passages that answer with distractors, the nearest passages that do not.
Some rows have only distractors, and their answer says so. An adapter trained without passages declined to answer from
them.
"""

import random
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from pipeline.chat.citations import SUPPORTED, support
from pipeline.chat.prompt import grounded_messages
from pipeline.chat.refusing import NOT_IN_NOTES, REFUSALS
from pipeline.dataset.export import OpenAIRow, chat_row
from pipeline.dataset.filters import redacted
from pipeline.dataset.paraphrasing import paraphrase
from pipeline.dataset.records import SPLITS, Pair, PairSource, Split
from pipeline.dataset.versions import DatasetRow
from pipeline.index.passages import Passage
from pipeline.settings import DatasetSettings, PersonaSettings

Embed = Callable[[Sequence[str]], np.ndarray]

ROW_CHARS = 2000
"""Most characters of a row's passages. More distractors are left out, because the longest row decides the memory."""
_MAY_READ: dict[Split, tuple[Split, ...]] = {"train": ("train",), "valid": ("train", "valid"), "test": SPLITS}
"""For each split, the splits whose documents may be passages. No training row shows a held-out document."""


def rows_to_train(
    rows: Sequence[DatasetRow],
    sources: Sequence[PairSource],
    split_of: Mapping[str, Split],
    settings: DatasetSettings,
    persona: PersonaSettings,
    embed: Embed,
) -> dict[Split, list[OpenAIRow]]:
    """The training rows by split: a chat for each pair, and for a share of the pairs another one with passages.

    A refusal gives one of the two rows, and its wording varies. A share of the pairs gets a third row, in which the same
    question is asked in other words.

    Args:
        sources: the chunks from which passages are taken.
        split_of: each document's split; a document without one may appear in every row.
        embed: returns unit vectors, float32 (texts, dimension).
    """
    shelf = _Shelf(sources, split_of, settings, embed, [row for row in rows if _is_drawn(row, settings)])
    found: dict[Split, list[OpenAIRow]] = {split: [] for split in SPLITS}
    for row in rows:
        pair, is_drawn = _worded(row.pair), _is_drawn(row, settings)
        if not _is_only_with_passages(row, settings):
            found[row.split].append(chat_row(persona.instruction, pair.question, pair.answer))
            if other := _reworded(row, settings):
                found[row.split].append(chat_row(persona.instruction, other, pair.answer))
        if is_drawn and (asked := shelf.passages_for(row)):
            passages, is_answered = asked
            declined = pair.answer if pair.kind == "refusal" else _refusal(row.original)
            answer = pair.answer if is_answered else declined
            messages = grounded_messages(pair.question, passages, [], persona, tuned=True)
            found[row.split].append({"messages": [*messages, {"role": "assistant", "content": answer}]})
    return found


def count_reworded(rows: Sequence[DatasetRow], settings: DatasetSettings) -> int:
    """The number of rows that `rows_to_train` makes in other words."""
    return sum(bool(_reworded(row, settings)) for row in rows if not _is_only_with_passages(row, settings))


def _is_only_with_passages(row: DatasetRow, settings: DatasetSettings) -> bool:
    return row.pair.kind == "refusal" and _is_drawn(row, settings)


def _reworded(row: DatasetRow, settings: DatasetSettings) -> str:
    """The question of a pair in other words, for the share of the pairs that get a second row; "" for the others."""
    is_drawn = _draw(settings.seed, "paraphrase", row) < settings.paraphrases
    return paraphrase(row.pair.question) if is_drawn else ""


class _Shelf:
    """The chunks, sorted by nearness to each question."""

    def __init__(
        self,
        sources: Sequence[PairSource],
        split_of: Mapping[str, Split],
        settings: DatasetSettings,
        embed: Embed,
        rows: Sequence[DatasetRow],
    ) -> None:
        allowed = ("public",) if settings.visibility == "public" else ("public", "private")
        self._sources = {source.chunk: source for source in sources if source.visibility in allowed}
        self._split_of, self._settings = split_of, settings
        self._near: dict[str, list[str]] = {}
        if rows and self._sources:
            chunks = list(self._sources)
            cosines = embed([row.pair.question for row in rows]) @ embed([_text(s) for s in self._sources.values()]).T
            order = np.argsort(-cosines, axis=1, kind="stable")
            self._near = {
                row.original: [chunks[place] for place in places] for row, places in zip(rows, order, strict=True)
            }

    def passages_for(self, row: DatasetRow) -> tuple[list[Passage], bool] | None:
        """Passages in random order, and whether one of them answers; None if there are no passages."""
        own = [self._sources[chunk] for chunk in row.pair.chunks if chunk in self._sources]
        is_refusal = row.pair.kind == "refusal"
        is_unanswered = is_refusal or _draw(self._settings.seed, "unanswered", row) < self._settings.unanswered
        # A refusal's own chunk is the hardest distractor: it is about the subject but does not answer.
        shown = own if is_refusal or not is_unanswered else []
        chosen = [*shown, *self._others(row, shown)]
        if not chosen or (not is_unanswered and not own):
            return None
        random.Random(f"{self._settings.seed} {row.original}").shuffle(chosen)
        hides_private = "privacy" in self._settings.stages
        return [_passage(source, hides_private) for source in chosen], not is_unanswered

    def _others(self, row: DatasetRow, shown: Sequence[PairSource]) -> Iterator[PairSource]:
        """Yields the nearest chunks of other documents that do not contain the answer, while there is room."""
        documents = {self._document(chunk) for chunk in row.pair.chunks}
        places, room = self._settings.row_passages - len(shown), ROW_CHARS - sum(len(source.text) for source in shown)
        for chunk in self._near.get(row.original, []):
            if places <= 0:
                return
            source = self._sources[chunk]
            split = self._split_of.get(source.document)
            if source.document in documents or (split and split not in _MAY_READ[row.split]):
                continue
            if row.pair.kind != "refusal" and support(row.pair.answer, _text(source)) >= SUPPORTED:
                continue
            if len(source.text) <= room:
                places, room = places - 1, room - len(source.text)
                yield source

    @staticmethod
    def _document(chunk: str) -> str:
        return chunk.rpartition("#")[0]


def _is_drawn(row: DatasetRow, settings: DatasetSettings) -> bool:
    # A pair that rests on no chunk (of [[voice]]) is about nothing that a passage says.
    return bool(row.pair.chunks) and _draw(settings.seed, "passages", row) < settings.with_passages


def _draw(seed: int, what: str, row: DatasetRow) -> float:
    """A number from 0 to 1 that depends on the pair alone, so that an edit changes only its own rows.

    Draws for two purposes must be independent. A checksum is not enough: CRC-32 of two texts that differ only in their
    beginning differ by a constant, whatever the rest is.
    """
    return random.Random(f"{seed} {what} {row.original}").random()


def _worded(pair: Pair) -> Pair:
    """The pair with a varied refusal. An adapter repeats one sentence that a tenth of all rows share. An edited answer stays."""
    return pair.model_copy(update={"answer": _refusal(pair.id)}) if pair.answer == NOT_IN_NOTES else pair


def _refusal(id: str) -> str:
    return REFUSALS[zlib.crc32(id.encode()) % len(REFUSALS)]


def _text(source: PairSource) -> str:
    return f"{source.title} {source.heading}\n{source.text}"


def _passage(source: PairSource, hides_private: bool) -> Passage:
    return Passage(
        id=source.chunk,
        document=source.document,
        title=source.title,
        url="",
        heading=source.heading,
        text=redacted(source.text) if hides_private else source.text,
        score=0,
        visibility=source.visibility,
    )
