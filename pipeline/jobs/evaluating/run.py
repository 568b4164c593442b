"""One evaluation from the questions to the record."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import psutil
from filelock import FileLock, Timeout

from pipeline.adapters import find_adapter
from pipeline.chat.records import ChatModel
from pipeline.dataset import versions
from pipeline.errors import SitetwinError
from pipeline.evaluation import golden
from pipeline.evaluation.figures import Known
from pipeline.evaluation.golden import GoldenQuestion, is_page
from pipeline.evaluation.systems import OpenSystem, System
from pipeline.evaluation.systems.identity import adapter_name, asks_model
from pipeline.evaluation.systems.wiring import FOLDER
from pipeline.jobs.evaluating import record
from pipeline.jobs.evaluating.answers import KeptAnswers
from pipeline.jobs.evaluating.asking import PARALLEL, CancelledError, ask_all
from pipeline.jobs.evaluating.judging import ask_judge, judge
from pipeline.jobs.evaluating.record import Evaluation, SystemResult, Trained
from pipeline.processes import engine
from pipeline.processes.endpoint import is_held
from pipeline.progress import ProgressReport
from pipeline.servers.structured import StructuredModel
from pipeline.settings import Settings, Visibility
from pipeline.site import Site
from pipeline.training import registry
from pipeline.weights.locating import shown_name

LOCK, CALLED_OFF = "eval.lock", "cancel"
LOOK_SECONDS = 0.1
"""How often an evaluation that waits looks whether it may begin."""


def evaluate(
    settings: Settings,
    systems: Sequence[System],
    questions: Sequence[GoldenQuestion],
    *,
    file: str,
    visibility: Visibility | None = None,
    progress: ProgressReport = lambda *_: None,
    cancelled: Callable[[], bool] = lambda: False,
    judge_model: StructuredModel | None = None,
    connect: Callable[[str | None], ChatModel] | None = None,
    waits: bool = False,
) -> Evaluation:
    """Asks each system each question, judges the answers, and writes the record. Only one runs at a time in a site.

    Args:
        settings: the site's settings.
        systems: what is compared, each under a name of its own.
        questions: what is asked.
        file: the name of the file of questions, for the record.
        visibility: `public` to answer as visitors are answered; None for the owner.
        progress: is told how many answers there are, of how many.
        cancelled: tells whether to stop.
        judge_model: judges beside the hand-written facts; None: no model judges.
        connect: the model of all systems, for tests; None: the one that each names.
        waits: whether to begin after an evaluation that is under way, instead of failing.

    Raises:
        CancelledError: `cancelled()` was true. What was answered is kept.
        SitetwinError: nothing is asked, another evaluation is under way, or a system can't answer.
    """
    if not systems or not questions:
        raise SitetwinError("nothing is asked: name at least one system, and a file with at least one question")
    with _alone(settings, waits, cancelled) as is_called_off:
        started = time.monotonic()
        site = Site(settings)
        with site.index() as index:
            index.sync()
        site.calibrate()
        opened = [OpenSystem(settings, one, visibility, connect) for one in systems]
        # An adapter that may not answer must not be found out after an hour.
        adapters = [adapter_name(system) for system in opened]
        counter = _Counter(progress, len(systems) * len(questions))
        asked = _Asked([one.question for one in questions], counter, lambda: cancelled() or is_called_off())
        results = {
            system.system.name: _result(system, adapter, asked)
            for system, adapter in zip(opened, adapters, strict=True)
        }
        data_set = _data_set(settings, results)
        made = Evaluation(
            number=max(record.numbers(settings), default=0) + 1,
            made_at=datetime.now(UTC),
            seconds=0,
            visibility=visibility,
            file=file,
            questions=list(questions),
            known=_known(settings, data_set, questions),
            data_set=data_set,
            kept=counter.kept,
            parallel=PARALLEL,
            systems=results,
            comparisons=[],
        )
        if judge_model:
            ask_judge(settings, made, judge_model, progress)
        judge(settings, made)
        made.seconds = time.monotonic() - started
        record.write(settings, made)
        return made


@dataclass
class _Counter:
    """Counts the answers of all systems."""

    progress: ProgressReport
    total: int
    done: int = 0
    kept: int = 0

    def count(self, was_kept: bool) -> None:
        self.done, self.kept = self.done + 1, self.kept + was_kept
        self.progress(self.done, self.total, "answers")


class _Asked(NamedTuple):
    """What every system is asked."""

    questions: list[str]
    counter: _Counter
    cancelled: Callable[[], bool]


def _result(opened: OpenSystem, adapter: str, asked: _Asked) -> SystemResult:
    """A system with its answers, and what it took."""
    replies = ask_all(
        opened, asked.questions, KeptAnswers(opened.settings), on_answer=asked.counter.count, cancelled=asked.cancelled
    )
    result = SystemResult(
        system=opened.system,
        model=shown_name(opened.engine.models.chat) if asks_model(opened) else "",
        adapter=adapter,
        memory_mb=_memory(opened),
        trained=_trained(opened.settings, adapter),
        replies=replies,
    )
    _let_go(opened)
    return result


def cancel(settings: Settings) -> bool:
    """Asks the evaluation under way, in whatever process, to stop; returns whether there is one."""
    folder = settings.state / FOLDER
    if not is_held(folder / LOCK):
        return False
    (folder / CALLED_OFF).touch()
    return True


@contextmanager
def _alone(settings: Settings, waits: bool, cancelled: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
    """Holds the site's evaluations. What it yields says whether `cancel` was asked for."""
    folder = settings.state / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    lock, mark = FileLock(folder / LOCK), folder / CALLED_OFF
    while not lock.is_locked:
        try:
            lock.acquire(timeout=LOOK_SECONDS)
        except Timeout:
            if not waits:
                raise SitetwinError(
                    "another evaluation is under way: wait for it, or run `sitetwin eval cancel`"
                ) from None
            if cancelled():
                raise CancelledError("the evaluation was cancelled before it began") from None
    try:
        mark.unlink(missing_ok=True)
        yield mark.exists
    finally:
        lock.release()


def _memory(opened: OpenSystem) -> float | None:
    """Memory of the engine's process in megabytes; None: another's server, or no model."""
    settings = opened.engine
    if opened.connect or not asks_model(opened) or settings.engine.url:
        return None
    endpoint = engine.service(settings).find()
    return psutil.Process(endpoint.pid).memory_info().rss / 1e6 if endpoint else None


def _let_go(opened: OpenSystem) -> None:
    """Ends an engine that only this system needed, so that two large models are not held for longer than they must."""
    settings = opened.engine
    if settings.root != opened.settings.root:
        service = engine.service(settings)
        if endpoint := service.find():
            service.stop(endpoint)


def _trained(settings: Settings, adapter: str) -> Trained | None:
    known = {run.name: run for run in registry.runs(settings)}
    run = known.get(adapter.removesuffix("-last"))
    if not adapter or run is None or run.ended_at is None:
        return None
    weights = find_adapter(settings, adapter).content
    return Trained(
        run=run.name,
        seconds=(run.ended_at - run.made_at).total_seconds(),
        megabytes=weights.stat().st_size / 1e6,
        data_set=run.data_set,
        forgetting=run.forgetting,
    )


def _data_set(settings: Settings, results: dict[str, SystemResult]) -> int | None:
    """The data set of the first adapter that answers, else the newest."""
    there = versions.versions(settings)
    used = [result.trained.data_set for result in results.values() if result.trained]
    return next((version for version in used if version in there), max(there, default=None))


def _known(settings: Settings, data_set: int | None, questions: Sequence[GoldenQuestion]) -> dict[str, Known]:
    if data_set is None:
        return {}
    split_of = versions.read_card(versions.version_folder(settings, data_set)).split_of
    known: dict[str, Known] = {}
    for one in questions:
        splits = {split for id, split in split_of.items() if any(is_page(id, page) for page in one.page)}
        known[one.question] = "" if not splits or not one.answerable else "seen" if "train" in splits else "unseen"
    return known


def questions_file(settings: Settings, named: Path | None) -> Path:
    """The file of questions: the named one, else as the settings say."""
    return named or golden.questions_file(settings)


def sample(questions: Sequence[GoldenQuestion], limit: int | None) -> list[GoldenQuestion]:
    """At most `limit` questions, in their order and the same each time; None: all."""
    places = range(len(questions))
    chosen = random.Random(0).sample(places, len(places) if limit is None else min(limit, len(places)))
    return [questions[place] for place in sorted(chosen)]
