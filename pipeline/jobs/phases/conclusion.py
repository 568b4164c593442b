"""Says in sentences what the three phases have shown, even if it is not what was hoped for."""

from collections.abc import Mapping

from pipeline.evaluation.comparing import AnswerScores, not_worse
from pipeline.jobs.recording import QuestionSet
from pipeline.training.config import Preset
from pipeline.training.registry import Run
from pipeline.training.verdict import RISE

FEW_ROWS = 100
"""With fewer validation rows, small differences mean little."""


def conclusion(runs: Mapping[Preset, Run], scores: Mapping[str, Mapping[QuestionSet, AnswerScores]]) -> list[str]:
    """Sentences on the curves, then on the answers. What is not measured yet has none.

    Args:
        runs: the run of each preset, as far as there is one.
        scores: by system and question set.
    """
    found = []
    if "overfit" in runs and runs["overfit"].state == "done":
        found.append(_u_curve(runs["overfit"]))
    if len(runs) == 3 and all(run.state == "done" for run in runs.values()):
        found.append(_ends(runs))
    valid = min((run.rows["valid"] for run in runs.values()), default=0)
    if found and valid < FEW_ROWS:
        found.append(f"There are {valid} validation rows: differences in the second decimal place mean little.")
    return found + _answers(scores)


def _u_curve(run: Run) -> str:
    curves = run.curves
    first, best = next((point for point in curves.valid if not point.iteration), None), curves.best
    if first is None or best is None:
        return "Without validation rows no U-curve can be seen."
    last, epochs = curves.valid[-1], [point.iteration / run.per_epoch for point in (best, curves.valid[-1])]
    way = (
        f"in the overfit run the validation loss fell from {first.loss:.3f} to {best.loss:.3f} (epoch {epochs[0]:.1f}) "
        f"and was {last.loss:.3f} at the end (epoch {epochs[1]:.1f})"
    )
    if run.verdict and run.verdict.name == "diverged":
        return f"No U-curve can be read, for the steps were too large: {way}."
    if best.loss >= first.loss:
        return f"There is no U-curve: {way}, never below the untrained model."
    if last.loss > best.loss * (1 + RISE):
        return f"The U-curve is there: {way}, {last.loss / best.loss - 1:.0%} above its lowest."
    return f"There is no U-curve: {way}, less than {RISE:.0%} above its lowest. More epochs may show one."


def _ends(runs: Mapping[Preset, Run]) -> str:
    ends = {preset: run.curves.valid[-1].loss for preset, run in runs.items() if run.curves.valid}
    if len(ends) < 3:
        return "Without validation rows the ends of the phases can't be compared."
    named = ", ".join(f"{preset} {loss:.3f}" for preset, loss in ends.items())
    lowest = min(ends, key=lambda preset: ends[preset])
    return f"Validation loss where each phase ended: {named}; the lowest is that of {lowest}."


def _answers(scores: Mapping[str, Mapping[QuestionSet, AnswerScores]]) -> list[str]:
    """Compares each system with the base on the held-out questions, and names the one that learnt most by heart."""
    held = {system: asked["held out"] for system, asked in scores.items() if "held out" in asked}
    found = []
    pairs = [(system, "base") for system in held if system != "base"] + [("best", "overfit-last")]
    for system, other in pairs:
        if {system, other} <= held.keys():
            found.append(f"Held-out questions, {not_worse(held[system], held[other]).text}.")
    gaps = {system: asked["seen"].mean - asked["held out"].mean for system, asked in scores.items() if len(asked) == 2}
    most = max(gaps, key=lambda system: gaps[system], default="")
    if gaps.get(most, 0) > 0:
        found.append(
            f"Learnt by heart: {most} is better on questions it has seen than on held-out ones by {gaps[most]:.2f}, "
            "more than any other."
        )
    return found
