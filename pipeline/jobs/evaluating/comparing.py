"""`sitetwin eval compare`: two evaluations of the same questions, such as before and after a change."""

from pipeline.errors import SitetwinError
from pipeline.evaluation.doubt import difference, holm
from pipeline.evaluation.figures import Compared
from pipeline.evaluation.measures import measures
from pipeline.jobs.evaluating.record import COSTS, Evaluation


def compare(before: Evaluation, after: Evaluation) -> list[Compared]:
    """Each system that both asked, by each measure, on the questions that both asked; corrected as one table (Holm).

    Raises:
        SitetwinError: they have no system in common, or fewer than five questions.
    """
    common = [name for name in before.systems if name in after.systems]
    if not common:
        raise SitetwinError(
            f"evaluations {before.number} and {after.number} have no system in common: name the same --systems in both"
        )
    found = []
    for name in common:
        old, new = before.systems[name].values, after.systems[name].values
        for measure in (one for one in measures() if one.unit not in COSTS):
            gap = difference(old.get(measure.key, {}), new.get(measure.key, {}), binary=measure.binary)
            if gap:
                found.append((name, measure.key, gap))
    if not found:
        raise SitetwinError(
            f"evaluations {before.number} and {after.number} have fewer than five questions in common:"
            " ask both the same file, with --limit 5 or more"
        )
    corrected = holm([gap.p for _, _, gap in found])
    return [
        Compared(
            a=f"{name} of {before.number}", b=f"{name} of {after.number}", measure=key, difference=gap.value,
            low=gap.low, high=gap.high, p=p, raw_p=gap.p, questions=gap.count,
        )
        for (name, key, gap), p in zip(found, corrected, strict=True)
    ]  # fmt: skip
