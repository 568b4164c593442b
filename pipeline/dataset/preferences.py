"""Preference pairs: two answers to one question of which one is better, for training by preference (DPO, ORPO).

They come from the owner's edits (the edit over the draft), from the filter (the accepted answer over a refused one to the
same question) and from the owner's choices between two pairs.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import get_args

from pipeline.dataset.decisions import Choice
from pipeline.dataset.filters import redacted
from pipeline.dataset.records import Candidate, Pair, Preference, PreferenceReason, Split
from pipeline.dataset.versions import DatasetRow, Rejected
from pipeline.settings import DatasetSettings
from pipeline.text.words import words

SAY_NOTHING_OF_THE_ANSWER = frozenset({"duplicates", "split", "relevance", "privacy"})
"""Stages that refuse a pair for something else than its answer, or whose answers nobody should see again."""


def preferences(
    accepted: Sequence[tuple[Pair, Candidate]],
    rows: Sequence[DatasetRow],
    rejected: Sequence[Rejected],
    choices: Iterable[Choice],
    split_of: Mapping[str, Split],
    settings: DatasetSettings,
) -> list[Preference]:
    """All preference pairs of a build, each once; choices first, then edits, then the filter's.

    Args:
        accepted: each pair as it is trained on, and the candidate that the teacher wrote.
        rows: the accepted pairs with their splits.
        rejected: the pairs that the filter or the owner refused.
        choices: what the owner chose; those that name a pair outside this build are left out.
        split_of: each document's split; {} if the data set is split by pair.
    """
    split = {row.original: row.split for row in rows}
    drafts = {candidate.pair.id: candidate.pair for _, candidate in accepted}
    now = {row.original: row.pair for row in rows}
    refused = {row.pair.id: row.pair for row in rejected}

    def sides(*pairs: Pair) -> set[Split]:
        """The splits of all documents of `pairs`."""
        documents = {chunk.rpartition("#")[0] for pair in pairs for chunk in pair.chunks}
        found = {split_of[document] for document in documents if document in split_of}
        return found or {split[pair.id] for pair in pairs if pair.id in split}

    def make(better: str, worse: str, why: PreferenceReason, chosen: Pair, other: Pair) -> Iterator[Preference]:
        # What is trained on must not come from a held-out document, on neither side.
        found = sides(drafts.get(better) or refused[better], drafts.get(worse) or refused[worse])
        if len(found) != 1 or words(chosen.answer) == words(other.answer):
            return
        if "privacy" in settings.stages and any(redacted(text) != text for text in (chosen.answer, other.answer)):
            return
        yield Preference(
            question=chosen.question,
            chosen=chosen.answer,
            rejected=other.answer,
            why=why,
            split=found.pop(),
            pairs=tuple(dict.fromkeys((better, worse))),
        )

    def chosen() -> Iterator[Preference]:
        here = {**refused, **now}
        for choice in choices:
            if choice.better in here and choice.worse in here:
                yield from make(choice.better, choice.worse, "choice", here[choice.better], here[choice.worse])

    def edited() -> Iterator[Preference]:
        for id, pair in now.items():
            if pair.id != id:
                yield from make(id, id, "edit", pair, drafts[id])

    def filtered() -> Iterator[Preference]:
        asked: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for id, pair in now.items():
            asked[tuple(words(pair.question))].append(id)
        for row in rejected:
            if row.rejection.stage not in SAY_NOTHING_OF_THE_ANSWER:
                for id in asked[tuple(words(row.pair.question))]:
                    yield from make(id, row.pair.id, "filter", now[id], row.pair)

    found = {(one.question, one.chosen, one.rejected): one for one in (*filtered(), *edited(), *chosen())}
    return sorted(found.values(), key=lambda one: (get_args(PreferenceReason).index(one.why), one.pairs))
