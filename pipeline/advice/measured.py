"""What the last evaluation says for and against an adapter. Pure."""

from typing import Literal

from pipeline.advice.facts import Gap, LastEvaluation

Option = Literal["rag", "lora", "both", "neither yet"]

LOWER = frozenset({"wrongly_refused", "staleness", "first_token_ms", "total_ms", "tokens_read", "tokens_written"})
"""Measures of which less is better."""
COSTS = frozenset({"first_token_ms", "total_ms", "tokens_read", "tokens_written", "tokens_per_second"})
"""Measures of what an answer costs, not of how good it is."""


def measured(evaluation: LastEvaluation) -> tuple[Option | None, str]:
    """What it recommends and why; None: it did not ask both a rag system and one with an adapter.

    An adapter is recommended only if it is shown to be better in something and worse in nothing.
    """
    ways: tuple[tuple[Option, str], ...] = (("both", "hybrid"), ("lora", "lora"))
    rag = evaluation.mode("rag")
    others = [(option, found[0]) for option, mode in ways if (found := evaluation.mode(mode))]
    if not rag or not others:
        return None, f"evaluation {evaluation.number} did not ask both a rag system and one with an adapter"
    losses = []
    for option, name in others:
        better, worse = shown(evaluation.gaps, rag[0], name)
        if better and not worse:
            return option, f"{name} is better than {rag[0]} in {', '.join(better)} and worse in nothing"
        if worse:
            losses.append(f"{name} is worse than {rag[0]} in {', '.join(worse)}")
    if losses:
        return "rag", "; ".join(losses)
    names = " or ".join(name for _, name in others)
    none = f"no difference shown between {rag[0]} and {names} on {evaluation.questions} questions"
    return "rag", f"{none}, and retrieval alone is simpler"


def shown(gaps: list[Gap], a: str, b: str) -> tuple[list[str], list[str]]:
    """The measures in which b is shown to be better than a, and those in which it is shown to be worse."""
    better: list[str] = []
    worse: list[str] = []
    for gap in gaps:
        if {gap.a, gap.b} == {a, b} and gap.is_shown and gap.measure not in COSTS:
            is_up = (gap.difference > 0) == (gap.b == b)
            (better if is_up != (gap.measure in LOWER) else worse).append(gap.measure)
    return better, worse
