"""The comparison of a retraining: an evaluation of the new adapter and the one before, on what neither was trained on."""

from collections.abc import Callable, Sequence

from pipeline.adapters import BASE, Adapter
from pipeline.errors import SettingsError
from pipeline.evaluation.comparing import Comparison, ScoredMode, by_measure
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.evaluation.measures import About, measures
from pipeline.evaluation.systems import find_system
from pipeline.evaluation.voice.about import ABOUT
from pipeline.jobs.evaluating.held_out import short_answers
from pipeline.jobs.evaluating.record import COSTS, Evaluation
from pipeline.jobs.evaluating.report.writing import write_report
from pipeline.jobs.evaluating.run import evaluate
from pipeline.progress import ProgressReport
from pipeline.settings import Settings, Visibility

MODES: tuple[ScoredMode, ...] = ("lora", "hybrid")


def named_measures(settings: Settings) -> list[About]:
    """The measures in which a new adapter must not be worse.

    Raises:
        SettingsError: there is none of a name, or it is a cost, which depends on what else the machine does.
    """
    known = {one.key: one for one in (*measures(), *ABOUT.values()) if one.unit not in COSTS}
    wrong = next((name for name in settings.retrain.not_worse if name not in known), None)
    if wrong:
        raise SettingsError(f"retrain.not_worse: there is no measure {wrong!r}: name some of {', '.join(known)}")
    return [known[name] for name in settings.retrain.not_worse]


def compare(
    settings: Settings,
    new: str,
    old: Adapter | None,
    asked: Sequence[GoldenQuestion],
    *,
    visibility: Visibility | None,
    progress: ProgressReport,
    cancelled: Callable[[], bool],
) -> tuple[Evaluation, list[Comparison]]:
    """Evaluates both adapters in the modes lora and hybrid, and says by each named measure whether the new one is worse.

    It waits for an evaluation that is under way: hours of training must not end with that.

    Args:
        settings: the site's settings.
        new: the new adapter.
        old: the adapter before; None: the base, which gets the same words before the question.
        asked: the questions.
        visibility: `public` if visitors will be answered by the new one.
        progress: is told how many answers there are, of how many.
        cancelled: tells whether to stop.

    Raises:
        CancelledError: `cancelled()` was true. What was answered is kept.
        SitetwinError: as `evaluate`.
    """
    before = old.name if old else BASE
    made = evaluate(
        short_answers(settings),
        [find_system(settings, f"{mode}:{name}") for mode in MODES for name in (before, new)],
        asked,
        file="golden and held-out questions",
        visibility=visibility,
        progress=progress,
        cancelled=cancelled,
        waits=True,
    )
    write_report(settings, made)
    comparisons = [_by(made, about, mode, new, old) for mode in MODES for about in named_measures(settings)]
    return made, comparisons


def _by(made: Evaluation, about: About, mode: ScoredMode, new: str, old: Adapter | None) -> Comparison:
    ours, theirs = f"{mode}:{new}", f"{mode}:{old.name if old else BASE}"
    # The table has each pair once, in the order in which the systems were named: the old one first.
    compared = next((one for one in made.comparisons if (one.a, one.b, one.measure) == (theirs, ours, about.key)), None)
    figures = [made.systems[name].figures.get(about.key) for name in (ours, theirs)]
    means = tuple(figure.all.value if figure else 0.0 for figure in figures)
    return by_measure(compared, about, mode, new, old.name if old else None, (means[0], means[1]))
