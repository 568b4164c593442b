"""What a sweep shows: each rank's mean over its seeds with an interval, and which ranks can be told apart. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from pipeline.training.registry import Run

CONFIDENCE = 0.95
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Group:
    """The runs of one rank that have ended."""

    rank: int
    losses: dict[int, float]
    """The lowest validation loss by seed."""
    rises: list[float]
    """By how much the loss on general text rose, in nats a token."""

    @property
    def mean(self) -> float:
        """The mean of the losses."""
        return fmean(self.losses.values())

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the mean over seeds; None: there is one seed."""
        return interval(list(self.losses.values()))

    @property
    def rise(self) -> float | None:
        """The mean of the rises; None: none was measured."""
        return fmean(self.rises) if self.rises else None


def groups(runs: Mapping[tuple[int, int], Run]) -> list[Group]:
    """The ranks with at least one run that ended with a validation loss, lowest rank first.

    Args:
        runs: the runs by rank and seed.
    """
    found: dict[int, Group] = {}
    for (rank, seed), run in sorted(runs.items(), key=lambda item: item[0]):
        if run.state == "done" and run.curves.best:
            group = found.setdefault(rank, Group(rank, {}, []))
            group.losses[seed] = run.curves.best.loss
            if run.forgetting and run.forgetting.rise is not None:
                group.rises.append(run.forgetting.rise)
    return list(found.values())


def interval(values: Sequence[float]) -> Interval | None:
    """The 95 % interval of the mean of a few values, by Student's t; None: there is one value."""
    if len(values) < 2:
        return None
    # The import takes a second, and only a sweep over seeds needs it.
    from scipy.stats import t

    half = float(t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * stdev(values) / len(values) ** 0.5
    return fmean(values) - half, fmean(values) + half


def sentences(found: Sequence[Group]) -> list[str]:
    """What the sweep shows, in sentences."""
    if not found:
        return []
    best = min(found, key=lambda group: group.mean)
    if len(found) == 1:
        around = best.interval
        said = f"rank {best.rank}: validation loss {best.mean:.3f}"
        if around is None:
            return [f"{said}, with one seed"]
        return [f"{said} over {len(best.losses)} seeds, 95 % interval {around[0]:.3f} to {around[1]:.3f}"]
    lowest = f"rank {best.rank} has the lowest validation loss, {best.mean:.3f}"
    return [lowest, *(_compared(best, other) for other in found if other is not best)]


def _compared(best: Group, other: Group) -> str:
    # The same seed reads the same batches, so differences within a seed are less noisy than the losses.
    shared = sorted(best.losses.keys() & other.losses.keys())
    differences = [other.losses[seed] - best.losses[seed] for seed in shared]
    if not differences:
        return f"rank {other.rank} has no seed in common with it yet"
    said = f"rank {other.rank} is {fmean(differences):+.3f} from it"
    around = interval(differences)
    if around is None:
        return f"{said} with one seed, which does not say whether that is chance: take --seeds 3"
    told = "so it is worse" if around[0] > 0 else "so these seeds do not tell them apart"
    return f"{said}, 95 % interval {around[0]:+.3f} to {around[1]:+.3f} over {len(shared)} seeds, {told}"
