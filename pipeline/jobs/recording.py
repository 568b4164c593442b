"""Records what an evaluation says of a run's adapters, so that `sitetwin runs` and the run's report show it."""

from collections.abc import Iterable

from pipeline.jobs.evaluating.record import Evaluation, SystemResult
from pipeline.settings import Settings
from pipeline.training import registry
from pipeline.training.registry import RunScore
from pipeline.training.report import write_report


def record_scores(
    settings: Settings, run: str, made: Evaluation, systems: Iterable[str], *, asked: str, measure: str
) -> None:
    """Writes figures into the record and the report of `run`.

    Args:
        settings: the site's settings.
        run: the run's name.
        made: the evaluation.
        systems: those of its systems that answer under the run's adapter, or under the one of its last weights.
        asked: which questions were asked, as `RunScore.asked` says.
        measure: the measure's key; a system to which it does not apply gets no score.

    Raises:
        SitetwinError: there is no such run.
    """
    found = [_score(made.systems[name], asked, measure) for name in systems]
    write_report(settings, registry.keep_scores(settings, run, [score for score in found if score]))


def _score(result: SystemResult, asked: str, measure: str) -> RunScore | None:
    figure = result.figures.get(measure)
    if figure is None:
        return None
    return RunScore(
        adapter=result.adapter, asked=asked, mode=result.system.mode, measure=measure, questions=figure.all.count,
        mean=figure.all.value, by_kind={kind: estimate.value for kind, estimate in figure.kinds.items()},
    )  # fmt: skip
