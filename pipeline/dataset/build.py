"""Builds a data set from notes: ask the teacher about new text, filter, split, write a version."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import numpy as np
from filelock import FileLock, Timeout

from pipeline.content.documents import Document
from pipeline.dataset import filters, splits, versions
from pipeline.dataset.answers import Answers, text_digest
from pipeline.dataset.build_progress import BuildProgress, BuildReport, all_of
from pipeline.dataset.decisions import choices_file, decisions_file, read_choices, read_decisions
from pipeline.dataset.plan import Cut, plan
from pipeline.dataset.preferences import preferences
from pipeline.dataset.records import (
    SPLITS,
    Candidate,
    Pair,
    PairJudge,
    PairSource,
    Preference,
    Rejection,
    Split,
    Task,
    Teacher,
)
from pipeline.dataset.retrieval_rows import count_reworded, rows_to_train
from pipeline.dataset.sieving import Sieved, decide, sieve
from pipeline.dataset.versions import DatasetCard, DatasetRow, Rejected
from pipeline.dataset.voice.pairs import is_of_voice
from pipeline.errors import SitetwinError, UnreadableError
from pipeline.settings import Settings, Visibility

UNREADABLE_SHARE = 0.5
"""A build stops if more than this share of the answers, after UNREADABLE_AFTER of them, can't be read."""
UNREADABLE_AFTER = 20


@dataclass(slots=True)
class Built:
    """The result of a build."""

    card: DatasetCard
    new: bool
    """Whether a version was written. It is not if nothing differs from the newest one."""
    asked: int
    """Tasks that the teacher was asked; the others had kept answers."""
    judged: int
    unreadable: list[str] = field(default_factory=list)
    """The reason for each task of which no answer could be read."""
    left_out: list[str] = field(default_factory=list)
    """The reason for each export of [[voice]] that could not be read."""


def choose_documents(readable: Sequence[Document], visibility: Visibility) -> list[Document]:
    """The documents that pairs may be made of, sorted by id: public ones, or all for a `private` data set.

    Raises:
        SitetwinError: there are no such documents.
    """
    documents = [document for document in readable if visibility == "private" or document.visibility == "public"]
    if not documents:
        hidden = f", {len(readable)} are private" if readable else ""
        raise SitetwinError(
            f"there are no public documents to make pairs of{hidden}: see `sitetwin status`, "
            'or set dataset.visibility = "private" for an adapter that only you use'
        )
    return sorted(documents, key=lambda document: document.id)


async def build(
    settings: Settings,
    documents: Sequence[Document],
    *,
    teacher: Teacher,
    judge: PairJudge | None,
    cut: Cut,
    embed: Callable[[Sequence[str]], np.ndarray],
    report: BuildReport = lambda progress: None,
    voice: Sequence[Candidate] = (),
) -> Built:
    """Update the data set to `documents`, and write a version if anything changed.

    Each answer of teacher and judge is kept at once, so a killed build continues where it stopped.

    Args:
        judge: None: no model judges.
        cut: returns a document's chunks.
        embed: returns unit vectors, float32 (texts, dimension); finds repeated questions.
        report: called after each answer.
        voice: pairs of the owner's exports, which no teacher writes and no stage refuses; the owner's decisions count.

    Raises:
        SitetwinError: another build runs, or no pair is left to train on. No version is written.
        ModelError: teacher or judge can't be reached. The answers so far are kept.
    """
    tasks = plan(documents, cut, settings.dataset, settings.persona.instruction)
    with _alone(settings), closing(Answers(versions.datasets_directory(settings) / "answers.db")) as answers:
        check = filters.Check(settings.dataset, settings.persona.name)
        written = await write(tasks, teacher, answers, check, settings, report)
        decisions = read_decisions(decisions_file(settings))
        candidates = list({candidate.pair.id: candidate for candidate in written.candidates}.values())
        sieved = await sieve(candidates, judge, answers, decisions, check, embed, settings, report)
        noted = list(sieved.accepted)
        for candidate in voice:
            decide(candidate, decisions, {}, sieved)
        sources = {source.chunk: source for task in tasks for source in task.sources}
        answers.forget_all_but(sources.values())
        groups = splits.alike(documents)
        rows, split_of = _split(sieved, groups, settings)
        if not rows:
            raise SitetwinError(_nothing_left(sieved.rejected, written.unreadable))
        card = _card(settings, teacher, judge, list(sources.values()), groups, rows, split_of)
        card.failed_tasks = len(written.unreadable)
        card.rejected = len(sieved.rejected)
        messages = rows_to_train(rows, list(sources.values()), split_of, settings.dataset, settings.persona, embed)
        card.training_rows = {split: len(found) for split, found in messages.items()}
        card.paraphrases = count_reworded(rows, settings.dataset)
        choices = read_choices(choices_file(settings))
        # Many posts answer one neutral question, and none of them is better than another.
        asked = [row for row in rows if not is_of_voice(row.pair)]
        preferred = preferences(noted, asked, sieved.rejected, choices, split_of, settings.dataset)
        new = _differs(settings, card, rows, sieved.rejected, preferred)
        if new:
            versions.write_version(settings, card, rows, sieved.rejected, messages, preferred)
        else:
            card = versions.read_card(versions.version_folder(settings))
    return Built(card, new, written.asked, sieved.judged, written.unreadable)


@dataclass(slots=True)
class WrittenPairs:
    """The pairs that a teacher wrote, now or earlier."""

    candidates: list[Candidate] = field(default_factory=list)
    asked: int = 0
    unreadable: list[str] = field(default_factory=list)


async def write(
    tasks: Sequence[Task],
    teacher: Teacher,
    answers: Answers,
    check: filters.Check,
    settings: Settings,
    report: BuildReport,
) -> WrittenPairs:
    """The pairs of every task, from kept answers or from the teacher.

    Raises:
        UnreadableError: too many answers can't be read.
        ModelError: the teacher can't be reached.
    """
    written = WrittenPairs()
    found = {position: answers.pairs(teacher.name, task) for position, task in enumerate(tasks)}
    progress = BuildProgress("tasks", 0, len(tasks))
    started = time.monotonic()
    fresh = 0

    def count(task: Task, pairs: Sequence[Pair]) -> None:
        progress.done += 1
        progress.pairs += len(pairs)
        progress.accepted += sum(check(Candidate(pair, task.sources)) is None for pair in pairs)
        progress.pairs_per_minute = 60 * fresh / max(time.monotonic() - started, 1e-3)

    async def ask(position: int) -> None:
        nonlocal fresh
        task = tasks[position]
        written.asked += 1
        try:
            pairs = await teacher.write(task)
        except UnreadableError as error:
            written.unreadable.append(f"{task.kind} of {task.sources[0].document}: {error}")
            _check_readable(written)
            pairs = []
        else:
            answers.keep_pairs(teacher.name, task, pairs)
        fresh += len(pairs)
        found[position] = list(pairs)
        count(task, pairs)
        report(progress)

    for position, pairs in found.items():
        if pairs is not None:
            count(tasks[position], pairs)
    report(progress)
    unknown = [partial(ask, position) for position, pairs in found.items() if pairs is None]
    await all_of(unknown, settings.teacher.concurrency)
    written.candidates = [
        Candidate(pair, task.sources) for position, task in enumerate(tasks) for pair in found[position] or []
    ]
    return written


def _split(
    sieved: Sieved, groups: Sequence[list[str]], settings: Settings
) -> tuple[list[DatasetRow], dict[str, Split]]:
    """The rows of the accepted pairs, and the split of each document and each conversation of [[voice]].

    A pair of documents in two splits is rejected.
    """
    wanted = settings.dataset
    before = _splits_before(settings)
    conversations = sorted({pair.source for pair, _ in sieved.accepted if is_of_voice(pair)})
    split_of = splits.assign([[id] for id in conversations], before, wanted.held_out, wanted.seed)
    noted = [(pair, candidate) for pair, candidate in sieved.accepted if not is_of_voice(pair)]
    rows = [
        DatasetRow(pair=pair, split=split_of[pair.source], original=candidate.pair.id)
        for pair, candidate in sieved.accepted
        if is_of_voice(pair)
    ]
    if wanted.split_by == "pair":
        of_pair = splits.assign_pairs([c.pair.id for _, c in noted], wanted.held_out, wanted.seed)
        rows += [DatasetRow(pair=pair, split=of_pair[c.pair.id], original=c.pair.id) for pair, c in noted]
        return rows, split_of
    split_of |= splits.assign(groups, before, wanted.held_out, wanted.seed)
    for pair, candidate in noted:
        sides = {split_of[source.document] for source in candidate.sources}
        if len(sides) == 1:
            rows.append(DatasetRow(pair=pair, split=sides.pop(), original=candidate.pair.id))
        else:
            reason = f"it brings together documents of {' and '.join(sorted(sides))}"
            rejection = Rejection(stage="split", reason=reason)
            sieved.rejected.append(Rejected(pair=candidate.pair, rejection=rejection))
    return rows, split_of


def _splits_before(settings: Settings) -> dict[str, Split]:
    """The splits of documents in the newest data set; {} if its seed or share differs."""
    if not versions.versions(settings):
        return {}
    card = versions.read_card(versions.version_folder(settings))
    wanted = settings.dataset
    same = (card.settings.seed, card.settings.held_out) == (wanted.seed, wanted.held_out)
    return card.split_of if same else {}


def _card(
    settings: Settings,
    teacher: Teacher,
    judge: PairJudge | None,
    sources: Sequence[PairSource],
    groups: Sequence[list[str]],
    rows: Sequence[DatasetRow],
    split_of: dict[str, Split],
) -> DatasetCard:
    digests = sorted(f"{source.chunk} {text_digest(source)}" for source in sources)
    return DatasetCard(
        version=max(versions.versions(settings), default=0) + 1,
        made_at=datetime.now(UTC),
        visibility=settings.dataset.visibility,
        teacher=teacher.name,
        prompt=settings.teacher.prompt,
        judge=judge.name if judge and "judge" in settings.dataset.stages else None,
        settings=settings.dataset,
        persona=settings.persona,
        corpus=hashlib.sha256("\n".join(digests).encode()).hexdigest(),
        documents=sum(map(len, groups)),
        chunks=len(sources),
        failed_tasks=0,
        accepted=len(rows),
        rejected=0,
        splits={split: sum(row.split == split for row in rows) for split in SPLITS},
        split_of=split_of,
        near_duplicates=[group for group in groups if len(group) > 1],
    )


def _differs(
    settings: Settings,
    card: DatasetCard,
    rows: Sequence[DatasetRow],
    rejected: Sequence[Rejected],
    preferred: Sequence[Preference],
) -> bool:
    if not versions.versions(settings):
        return True
    folder = versions.version_folder(settings)
    ignored = {"version", "made_at"}
    return (
        versions.read_card(folder).model_dump(exclude=ignored) != card.model_dump(exclude=ignored)
        or versions.read_rows(folder) != list(rows)
        or versions.read_rejected(folder) != list(rejected)
        or versions.read_preferences(folder) != list(preferred)
    )


def _check_readable(written: WrittenPairs) -> None:
    if written.asked >= UNREADABLE_AFTER and len(written.unreadable) > UNREADABLE_SHARE * written.asked:
        raise UnreadableError(
            f"{len(written.unreadable)} of the teacher's first {written.asked} answers can't be read "
            f"(the last: {written.unreadable[-1]}): mend that, or choose another teacher.model"
        )


def _nothing_left(rejected: Sequence[Rejected], unreadable: Sequence[str]) -> str:
    if rejected:
        counts = Counter(row.rejection.stage for row in rejected).most_common()
        stages = ", ".join(f"{stage} {count}" for stage, count in counts)
        first = next(row for row in rejected if row.rejection.stage == counts[0][0])
        return (
            f"all {len(rejected)} pairs were rejected ({stages}; for instance “{filters.redacted(first.pair.question)}”: "
            f"{first.rejection.reason}), so there is nothing to train on: change teacher.model or dataset.stages"
        )
    if unreadable:
        return f"no answer of the teacher could be read ({unreadable[0]}): mend that, or choose another teacher.model"
    return "the notes gave no pair: they hold too little text; add notes, then build again"


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    folder = versions.datasets_directory(settings)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "build.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise SitetwinError("another `sitetwin dataset build` is running: wait until it is done") from None
    try:
        yield
    finally:
        lock.release()
