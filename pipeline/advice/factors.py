"""The six factors of the field, with the evidence of a site. Pure."""

from pydantic import BaseModel

from pipeline.advice.facts import SiteFacts
from pipeline.advice.measured import measured
from pipeline.advice.wishes import ENOUGH_PAIRS, MONTHLY, SLOW_MS, Way, Wishes


class Factor(BaseModel):
    """One consideration: what was found, and which way it points."""

    name: str
    evidence: str
    points: Way


def factors_of(facts: SiteFacts, wishes: Wishes) -> list[Factor]:
    """The six factors: freshness, kind of knowledge, volume, latency, infrastructure, audit; and the last evaluation."""
    changes, pairs = facts.changes, facts.pairs
    often = None if changes is None else changes.per_month > MONTHLY
    kinds = facts.pair_kinds or facts.golden
    voice = kinds.get("voice", 0) / max(1, sum(kinds.values()))
    said = "pairs" if facts.pair_kinds else "golden questions"
    wanted = (
        "the owner wants answers in their voice"
        if wishes.voice
        else f"{voice:.0%} of the {said} ask for the voice, the rest for facts"
    )
    enough = pairs is not None and pairs >= ENOUGH_PAIRS
    count = (
        "no data set yet" if pairs is None else f"{pairs} pairs survived the filter, {ENOUGH_PAIRS} are enough to train"
    )
    found = [
        Factor(name="freshness", evidence=str(changes) if changes else "no git log and no dates tell", points=_way(often, "rag", "lora")),
        Factor(
            name="kind of knowledge", evidence=wanted if kinds or wishes.voice is not None else "no pairs and no golden questions tell",
            points="both" if wishes.voice else "rag" if kinds or wishes.voice is False else "open",
        ),
        Factor(name="volume", evidence=f"{facts.documents} notes, {facts.words} words; {count}", points="both" if enough else "rag"),
        _latency(facts),
        Factor(
            name="infrastructure",
            evidence=f"{facts.machine}, {facts.memory_gb} GB; the largest that answers with retrieval: {facts.can_answer or 'none'}; "
            f"that can be trained: {facts.can_train or 'none'}{'' if facts.has_gpu else ', but a CPU trains only small models within hours'}",
            points="both" if facts.has_gpu and facts.can_train else "rag",
        ),
        Factor(
            name="audit",
            evidence="sources are required" if wishes.sources else "sources are not required" if wishes.sources is False else "not asked whether sources are required",
            points=_way(wishes.sources, "rag", "both"),
        ),
    ]  # fmt: skip
    if facts.evaluation:
        option, evidence = measured(facts.evaluation)
        found.append(Factor(name="last evaluation", evidence=evidence, points=option or "open"))
    return found


def _latency(facts: SiteFacts) -> Factor:
    if facts.search is None:
        return Factor(name="latency", evidence="not measured: there is no index", points="open")
    slow = facts.search.p95_ms > SLOW_MS
    evidence = f"a search takes {facts.search.p50_ms:.0f} ms, {facts.search.p95_ms:.0f} ms at the 95th percentile"
    return Factor(name="latency", evidence=evidence, points="lora" if slow else "rag")


def _way(answer: bool | None, yes: Way, no: Way) -> Way:
    return "open" if answer is None else yes if answer else no
