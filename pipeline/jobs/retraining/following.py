"""Follows a retraining to its end, for whoever shows it; and says what came of it."""

import time
from collections.abc import Iterator

from pipeline.errors import SitetwinError
from pipeline.jobs.retraining.job import RetrainingJob, read_job
from pipeline.settings import Settings

LOOK_SECONDS = 0.5
"""Seconds between two looks at the job's record."""


def follow(settings: Settings) -> Iterator[RetrainingJob]:
    """The job's record again and again, until it has ended; the last one says how.

    Raises:
        SitetwinError: there is no record, or it was removed meanwhile.
    """
    while job := read_job(settings):
        yield job
        if job.state != "running":
            return
        time.sleep(LOOK_SECONDS)
    raise SitetwinError("there is no record of a retraining: `sitetwin retrain` starts one")


def result(job: RetrainingJob) -> list[dict[str, object]]:
    """A row for each comparison with the adapter before; one row where nothing was compared."""
    ended = {"retraining": job.number, "state": job.state, "outcome": job.outcome or "", "run": job.run}
    compared = [
        {
            "mode": one.mode,
            "measure": one.measure,
            "before": one.old or "base",
            "questions": one.questions,
            "score_before": round(one.old_mean, 3),
            "score_now": round(one.new_mean, 3),
            "difference": round(one.difference, 3),
            "low": round(one.low, 3),
            "high": round(one.high, 3),
            "not_worse": one.is_not_worse,
        }
        for one in job.comparisons
    ]
    return [ended | row for row in compared or [{}]]


def in_markdown(job: RetrainingJob) -> str:
    """How it ended, with the comparisons as a table."""
    lines = [f"**{job.summary}**"]
    if job.comparisons:
        lines += [
            "",
            "| mode | measure | before | now | difference | 95 % interval | questions |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        ]
        lines += [
            f"| {one.mode} | {one.measure} | {one.old or 'base'} {one.old_mean:.2f} | {one.new} {one.new_mean:.2f} | {one.difference:+.2f} | "
            f"{one.low:+.2f} to {one.high:+.2f} | {one.questions} |"
            for one in job.comparisons
        ]
    return "\n".join(lines)
