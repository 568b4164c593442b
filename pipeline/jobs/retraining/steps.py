"""The steps of a retraining: bring the data set up to date, train an adapter, compare it, promote it if it is not worse.

Each step looks at what is already there. So the next job continues one that was cancelled or died. Import this after
`blas.preload()`.
"""

import asyncio
import hashlib
import json
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from pipeline.adapters import Adapter, base_hash, promoted
from pipeline.dataset.build import Built
from pipeline.dataset.build_progress import BuildProgress
from pipeline.engine.promoting import promote
from pipeline.errors import SitetwinError
from pipeline.evaluation.golden import GoldenQuestion, golden_questions
from pipeline.jobs.evaluating.asking import CancelledError
from pipeline.jobs.evaluating.held_out import held_out
from pipeline.jobs.evaluating.record import report_file
from pipeline.jobs.recording import record_scores
from pipeline.jobs.retraining.comparison import MODES, compare, named_measures
from pipeline.jobs.retraining.job import RetrainingRequest, Tracker
from pipeline.settings import Settings
from pipeline.site import Site
from pipeline.training import registry
from pipeline.training.config import configuration
from pipeline.training.registry import OPEN, Run
from pipeline.training.run import base_folder, resume, start
from pipeline.training.screen import TerminalScreen
from pipeline.weights.demo import DEMO
from pipeline.weights.memory import give_back_model

Stop = Callable[[], bool]

STOP_SECONDS = 0.5
"""How soon the build of a data set notices that it must stop."""


class RetrainingStoppedError(Exception):
    """The job was cancelled. Finished work is kept."""


def retrain(settings: Settings, tracker: Tracker, stop: Stop) -> None:
    """Does the whole job. Its record says how it ended; only unexpected exceptions are raised.

    Args:
        settings: the site's settings.
        tracker: holds the job's record.
        stop: tells whether to stop.
    """
    _say(f"retraining {tracker.job.number}, {tracker.job.started_at:%Y-%m-%d %H:%M}: {tracker.job.request}")
    try:
        _retrain(settings, tracker, stop)
    except RetrainingStoppedError:
        where = f"in the step {tracker.job.step}" + (f" of {tracker.job.run}" if tracker.job.run else "")
        tracker.end("cancelled", f"stopped {where}: `sitetwin retrain` goes on from there")
    except SitetwinError as error:
        tracker.end("failed", str(error))
    _say(tracker.job.summary)


def _retrain(settings: Settings, tracker: Tracker, stop: Stop) -> None:
    job = tracker.job
    # Errors that would make the rest pointless come before an hour of work.
    base = base_hash(base_folder(settings))
    old = _rival(settings, base)
    golden_questions(settings)
    named_measures(settings)
    job.data_set = _build(settings, tracker, stop)
    run = _same_run(settings, job.request, job.data_set, base)
    if run is None or run.state in OPEN or job.request.force:
        run = _train(settings, tracker, run, stop)
    elif old and old.name == run.name:
        _unchanged(tracker, run, f"{run.name} was trained and promoted")
        return
    job.run = run.name
    asked = held_out(settings, job.data_set, old.dataset if old else None)
    if not asked:
        raise SitetwinError(f"there is nothing to ask {run.name}: write some questions into golden.jsonl")
    judged = _digest(settings, run, old, asked)
    if job.judged == judged and not job.request.force:
        rival = old.name if old else "the base"
        _unchanged(tracker, run, f"{run.name} was compared with {rival}; `sitetwin promote {run.name}` promotes it")
        return
    _compare(settings, tracker, run, old, asked, stop)
    job.judged = judged
    _decide(settings, tracker, run, old)


def _rival(settings: Settings, base: str) -> Adapter | None:
    """The adapter to beat: the promoted one; None, the base, if there is none or it was made for other weights."""
    adapter = promoted(settings)
    return adapter if adapter and adapter.base_hash in ("", base) else None


def _build(settings: Settings, tracker: Tracker, stop: Stop) -> int:
    """Brings the data set up to date and returns its version."""
    tracker.begin("data set")

    def report(progress: BuildProgress) -> None:
        if (progress.unit, progress.total) != (tracker.job.unit, tracker.job.total):
            tracker.begin("data set", progress.unit, progress.total, progress.done)
        tracker.advance(progress.done)

    built = asyncio.run(_until(Site(settings).build_dataset(report), stop))
    state = "written" if built.new else "unchanged"
    _say(f"data set {built.card.version} {state}; the teacher was asked {built.asked} times")
    tracker.job.asked = built.asked
    return built.card.version


async def _until(work: Coroutine[Any, Any, Built], stop: Stop) -> Built:
    task = asyncio.ensure_future(work)
    while not task.done():
        await asyncio.wait({task}, timeout=STOP_SECONDS)
        if stop():
            task.cancel()
            await asyncio.wait({task})
            raise RetrainingStoppedError
    return task.result()


def _same_run(settings: Settings, request: RetrainingRequest, data_set: int, base: str) -> Run | None:
    """The newest run with the same data set, base and configuration that has not failed. A new one would be the same."""
    config = configuration(request.preset, request.values, is_demo=settings.models.chat == DEMO)
    same = [
        run
        for run in registry.runs(settings)
        if (run.data_set, run.base_hash, run.visibility) == (data_set, base, settings.dataset.visibility)
        and run.config.learns_like(config.for_rows(run.rows["train"]))
        and run.state in ("done", *OPEN)
    ]
    return same[-1] if same else None


class JobScreen(TerminalScreen):
    """Writes into the log what a terminal would show, and the progress into the job's record."""

    def __init__(self, tracker: Tracker) -> None:
        super().__init__()
        self._tracker = tracker

    def start(self, run: Run) -> None:
        """The training of `run` begins or goes on."""
        super().start(run)
        self._tracker.job.run = run.name
        self._tracker.begin("training", "iterations", run.config.iters or 0, run.iteration)

    def step(self, iteration: int, loss: float) -> None:
        """One iteration is done; `loss` is its mean loss in nats a token."""
        super().step(iteration, loss)
        self._tracker.advance(iteration, loss)


def _train(settings: Settings, tracker: Tracker, before: Run | None, stop: Stop) -> Run:
    """Trains a new run to its end, or resumes `before` if it was interrupted."""
    request = tracker.job.request
    tracker.job.resumed = before is not None and before.state in OPEN
    tracker.begin("training")
    with JobScreen(tracker) as screen:
        if before and tracker.job.resumed:
            run = resume(settings, screen, before.name, stop)
        else:
            run = start(
                settings,
                screen,
                preset=request.preset,
                values=request.values,
                data_set=tracker.job.data_set,
                stop=stop,
            )
    if run.state == "stopped":
        raise RetrainingStoppedError
    # The comparison asks the engine, which loads weights of its own.
    give_back_model()
    return run


def _compare(
    settings: Settings, tracker: Tracker, run: Run, old: Adapter | None, asked: Sequence[GoldenQuestion], stop: Stop
) -> None:
    """Evaluates both adapters, and records the results in job and run."""
    tracker.begin("comparison", "answers", 2 * len(MODES) * len(asked))
    visitors = run.visibility == "public" and (old is None or old.visibility == "public")
    tracker.job.comparisons = []
    try:
        made, comparisons = compare(
            settings,
            run.name,
            old,
            asked,
            visibility="public" if visitors else None,
            progress=lambda done, *_: tracker.advance(done),
            cancelled=stop,
        )
    except CancelledError:
        raise RetrainingStoppedError from None
    tracker.job.comparisons, tracker.job.evaluation = comparisons, made.number
    systems = [f"{mode}:{run.name}" for mode in MODES]
    record_scores(settings, run.name, made, systems, asked="golden", measure="accuracy")
    for comparison in comparisons:
        _say(comparison.text)
    _say(f"report: {report_file(settings, made.number, '.html')}")


def _decide(settings: Settings, tracker: Tracker, run: Run, old: Adapter | None) -> None:
    comparisons = tracker.job.comparisons
    texts = "; ".join(comparison.text for comparison in comparisons if comparison.questions)
    reason = ""
    if undecided := [mode for mode in MODES if not any(one.questions for one in comparisons if one.mode == mode)]:
        reason = f"the questions are too few to compare in {' and '.join(undecided)}: write some into golden.jsonl"
    elif not all(comparison.is_not_worse for comparison in comparisons):
        reason = texts
    elif _rival(settings, run.base_hash) != old:
        reason = f"another adapter was promoted meanwhile; {texts}"
    elif old and old.visibility == "public" and run.visibility == "private":
        reason = f"it is private, and visitors are answered by {old.name}; {texts}"
    if reason:
        by_hand = f"`sitetwin promote {run.name}` promotes it all the same"
        tracker.end("done", f"{run.name} is kept and not promoted: {reason}. {by_hand}", "kept")
        return
    promote(settings, run.name)
    tracker.end("done", f"{run.name} answers from now on: {texts}. `sitetwin rollback` takes it back", "promoted")


def _unchanged(tracker: Tracker, run: Run, since: str) -> None:
    tracker.job.run = run.name
    tracker.end("done", f"nothing has changed since {since}; `sitetwin retrain --force` trains anew", "unchanged")


def _digest(settings: Settings, run: Run, old: Adapter | None, asked: Sequence[GoldenQuestion]) -> str:
    """A hash that is the same for the same comparison."""
    measures = settings.retrain.not_worse
    parts = [run.name, old.name if old else None, measures, *(one.model_dump() for one in asked)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
