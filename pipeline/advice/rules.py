"""The nine questions of the field in their order, answered for a site as far as its data tell. Pure."""

from pydantic import BaseModel

from pipeline.advice.facts import SiteFacts
from pipeline.advice.wishes import ENOUGH_PAIRS, MONTHLY, SLOW_MS, Way, Wishes, either


class RuleQuestion(BaseModel):
    """One of the nine questions, in their order."""

    question: str
    answer: bool | None
    """None: it is open."""
    evidence: str
    points: Way
    """Which way a yes points."""


def questions_of(facts: SiteFacts, wishes: Wishes) -> list[RuleQuestion]:
    """The nine questions in their order, as far as they can be answered."""
    changes, pairs, search = facts.changes, facts.pairs, facts.search
    monthly = None if changes is None else changes.per_month > MONTHLY
    few = pairs < ENOUGH_PAIRS if pairs is not None else None
    slow = None if search is None else search.p95_ms > SLOW_MS
    too_slow = False if slow is False else None if wishes.wait is None else bool(slow) and not wishes.wait
    current = None if monthly is None or wishes.voice is None else monthly and wishes.voice
    rows: list[tuple[str, bool | None, str, Way]] = [
        ("Do the notes change more than monthly?", monthly, str(changes) if changes else "unknown", "rag"),
        ("Must answers be traceable to their source?", wishes.sources, "the owner's word", "rag"),
        ("Is it about tone, style or format?", either(wishes.voice, wishes.format), "the owner's word", "lora"),
        (f"Are there fewer than {ENOUGH_PAIRS} good pairs?", few, "no data set yet" if pairs is None else f"{pairs} pairs", "rag"),
        ("Is the time of a search too long?", too_slow, f"a search takes {search.p95_ms:.0f} ms (p95)" if search else "not measured", "lora"),
        ("Is there no graphics processor for training?", not facts.has_gpu, facts.machine, "rag"),
        ("Is there terminology that acts as syntax?", wishes.format, "the owner's word", "lora"),
        ("Must facts be current and the style consistent?", current, "both from above", "both"),
        ("Is the subject regulated?", wishes.regulated, "the owner's word", "both"),
    ]  # fmt: skip
    return [
        RuleQuestion(question=q, answer=answer, evidence=evidence, points=points)
        for q, answer, evidence, points in rows
    ]
