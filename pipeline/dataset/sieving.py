"""The filter as a build runs it: stages, judge, repeated questions, and the owner's decisions above them all."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from pipeline.dataset import filters
from pipeline.dataset.answers import Answers
from pipeline.dataset.build_progress import BuildProgress, BuildReport, all_of
from pipeline.dataset.decisions import Decision
from pipeline.dataset.records import Candidate, Pair, PairJudge, Rejection
from pipeline.dataset.versions import Rejected
from pipeline.errors import UnreadableError
from pipeline.settings import Settings


@dataclass(slots=True)
class Sieved:
    """The result of the filter."""

    accepted: list[tuple[Pair, Candidate]] = field(default_factory=list)
    """Each pair as it is trained on, and the candidate that the teacher wrote."""
    rejected: list[Rejected] = field(default_factory=list)
    judged: int = 0


async def sieve(
    candidates: Sequence[Candidate],
    judge: PairJudge | None,
    answers: Answers,
    decisions: dict[str, Decision],
    check: filters.Check,
    embed: Callable[[Sequence[str]], np.ndarray],
    settings: Settings,
    report: BuildReport,
) -> Sieved:
    """Run the candidates through the stages of the filter, the cheap ones first. The owner's decisions overrule all stages.

    Raises:
        ModelError: the judge can't be reached.
    """
    sieved = Sieved()
    stages = settings.dataset.stages
    refused: dict[str, Rejection] = {}
    for candidate in candidates:
        if candidate.pair.id not in decisions and (found := check(candidate)):
            refused[candidate.pair.id] = found
    left = [candidate for candidate in candidates if candidate.pair.id not in refused]
    if "relevance" in stages:
        refused |= filters.relevance([candidate for candidate in left if candidate.pair.id not in decisions], embed)
        left = [candidate for candidate in left if candidate.pair.id not in refused]
    if judge and "judge" in stages:
        open_ones = [candidate for candidate in left if candidate.pair.id not in decisions]
        sieved.judged = await _judge(open_ones, judge, answers, refused, settings, report)
        left = [candidate for candidate in left if candidate.pair.id not in refused]
    if "duplicates" in stages:
        pairs = [candidate.pair for candidate in left]
        refused |= filters.duplicates(pairs, embed, kept=decisions.keys())
    for candidate in candidates:
        decide(candidate, decisions, refused, sieved)
    return sieved


def decide(candidate: Candidate, decisions: dict[str, Decision], refused: dict[str, Rejection], sieved: Sieved) -> None:
    """Adds a candidate to what is accepted or rejected: as the owner decided, else as `refused` has it by the pair's id."""
    pair, decision = candidate.pair, decisions.get(candidate.pair.id)
    found = refused.get(pair.id)
    if decision and decision.action == "reject":
        found = Rejection(stage="review", reason="you rejected it")
    elif decision and decision.action == "edit":
        pair = pair.model_copy(update={"question": decision.question, "answer": decision.answer})
    if found:
        sieved.rejected.append(Rejected(pair=candidate.pair, rejection=found))
    else:
        sieved.accepted.append((pair, candidate))


async def _judge(
    candidates: Sequence[Candidate],
    judge: PairJudge,
    answers: Answers,
    refused: dict[str, Rejection],
    settings: Settings,
    report: BuildReport,
) -> int:
    """Adds the pairs that the judge refuses to `refused`. Returns the number of pairs that it was asked about."""
    known = {
        candidate.pair.id: answers.judgement(judge.name, candidate.pair, candidate.sources) for candidate in candidates
    }
    progress = BuildProgress("pairs", 0, len(candidates))
    started = time.monotonic()
    asked = 0

    async def ask(candidate: Candidate) -> None:
        nonlocal asked
        judgement = known[candidate.pair.id]
        if judgement is None:
            asked += 1
            try:
                judgement = await judge.judge(candidate)
            except UnreadableError as error:
                refused[candidate.pair.id] = Rejection(
                    stage="judge", reason=f"the judge's answer can't be read: {error}"
                )
            else:
                answers.keep_judgement(judge.name, candidate.pair, candidate.sources, judgement)
        if judgement and (found := filters.judged(judgement, settings.dataset)):
            refused[candidate.pair.id] = found
        progress.done += 1
        progress.pairs += 1
        progress.accepted += candidate.pair.id not in refused
        progress.pairs_per_minute = 60 * asked / max(time.monotonic() - started, 1e-3)
        report(progress)

    await all_of([partial(ask, candidate) for candidate in candidates], settings.teacher.concurrency)
    return asked
