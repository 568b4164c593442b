"""The eight dimensions by which retrieval and adapters are compared, and the three tiers, with this site's figures. Pure."""

from typing import Literal

from pydantic import BaseModel

from pipeline.advice.facts import SiteFacts
from pipeline.advice.memory import Need
from pipeline.advice.wishes import ENOUGH_PAIRS


class Dimension(BaseModel):
    """One row: what each option means here."""

    name: str
    rag: str
    lora: str
    both: str


class Tier(BaseModel):
    """One step, to be taken only when the one before is not enough."""

    name: str
    state: Literal["there", "next", "later"]
    evidence: str


def dimensions(facts: SiteFacts, model: Need) -> list[Dimension]:
    """The eight rows.

    Args:
        facts: the site's.
        model: a size for which memory is named.
    """
    search = f"{facts.search.p50_ms:.0f} ms for the search" if facts.search else "the time of a search, not measured"
    pairs = f"{ENOUGH_PAIRS} good pairs; there are {facts.pairs or 0}"
    size = f"{model.size} in {model.bits} bits"
    rows = [
        ("setting up", "about half an hour", "2 to 6 hours: pairs, training, comparing", "both"),
        ("memory to train", "none", f"{model.train} GB ({size})", f"{model.train} GB"),
        ("memory to answer", f"{model.rag} GB ({size})", f"{model.answer} GB", f"{model.rag} GB"),
        ("a changed note", "counts at once", "needs `sitetwin retrain`", "facts at once, the voice with a retraining"),
        ("material", f"any number of notes; there are {facts.documents}", pairs, pairs),
        ("latency", search, "none before the first word", search),
        (
            "facts and sources",
            "looked up, with sources",
            "remembered badly, without sources",
            "looked up, with sources",
        ),
        ("voice", "as far as a persona prompt carries", "learnt", "learnt"),
    ]
    return [Dimension(name=name, rag=rag, lora=lora, both=both) for name, rag, lora, both in rows]


def tiers(facts: SiteFacts) -> list[Tier]:
    """Prompt, retrieval, adapter, in the order in which they are worth their effort."""
    has = (bool(facts.persona_chars), facts.search is not None, facts.trained is not None)
    evidence = (
        f"a persona of {facts.persona_chars} characters" if has[0] else "no persona: `sitetwin persona draft --write`",
        f"{facts.documents} notes are indexed" if has[1] else "no index: `sitetwin index`",
        f"{facts.trained.adapter} is trained"
        if facts.trained
        else f"no adapter; {facts.pairs or 0} pairs of {ENOUGH_PAIRS}",
    )
    names = ("1. a good system prompt", "2. retrieval", "3. an adapter")
    first = has.index(False) if False in has else len(has)
    return [
        Tier(name=name, state="there" if there else "next" if place == first else "later", evidence=text)
        for place, (name, there, text) in enumerate(zip(names, has, evidence, strict=True))
    ]
