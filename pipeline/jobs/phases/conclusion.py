"""Says in sentences what the three phases have shown, even if it is not what was hoped for."""

from collections.abc import Mapping
from typing import Literal

from pipeline.jobs.evaluating.record import Evaluation
from pipeline.jobs.evaluating.report.wording import said
from pipeline.training.config import Preset
from pipeline.training.registry import Run
from pipeline.training.verdict import RISE

QuestionSet = Literal["held out", "seen"]
"""Questions that no run was trained on, and questions that the runs were trained on."""
MEASURE = "completeness"
"""The measure by which the answers are told apart. It sees a part of a fact, which accuracy does not."""
FEW_ROWS = 100
"""With fewer validation rows, small differences mean little."""


def conclusion(runs: Mapping[Preset, Run], evaluations: Mapping[QuestionSet, Evaluation]) -> list[str]:
    """Sentences on the curves, then on the answers. What is not measured yet has none.

    Args:
        runs: the run of each preset, as far as there is one.
        evaluations: by question set. The first system of each is the base.
    """
    found = []
    if "overfit" in runs and runs["overfit"].state == "done":
        found.append(_u_curve(runs["overfit"]))
    if len(runs) == 3 and all(run.state == "done" for run in runs.values()):
        found.append(_ends(runs))
    valid = min((run.rows["valid"] for run in runs.values()), default=0)
    if found and valid < FEW_ROWS:
        found.append(f"There are {valid} validation rows: differences in the second decimal place mean little.")
    return found + _answers(evaluations)


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


def _answers(evaluations: Mapping[QuestionSet, Evaluation]) -> list[str]:
    """Compares each system with the base on the held-out questions, and names the one that learnt most by heart."""
    held, seen = evaluations.get("held out"), evaluations.get("seen")
    found = []
    if held:
        base, *_ = held.systems
        found += [
            f"Held-out questions: {said(one)}." for one in held.comparisons if one.a == base and one.measure == MEASURE
        ]
    known, new = (_figures(made) if made else {} for made in (seen, held))
    gaps = {system: known[system] - new[system] for system in known if system in new}
    most = max(gaps, key=lambda system: gaps[system], default="")
    if gaps.get(most, 0) > 0:
        found.append(
            f"Learnt by heart: {most} says {gaps[most]:.0%} more of the facts of questions that it has seen than of "
            "held-out ones, more than any other."
        )
    return found


def _figures(made: Evaluation) -> dict[str, float]:
    return {name: of.figures[MEASURE].all.value for name, of in made.systems.items() if MEASURE in of.figures}
