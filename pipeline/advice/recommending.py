"""RAG, LoRA, both or neither yet: the rules of the field, answered from a site's facts. Pure.

The six factors and nine questions are those that guides on retrieval and fine-tuning agree on. Where they conflict,
retrieval comes first: it is quicker to set up, names its sources, and its failures become training rows. A measurement
of the site itself outweighs every rule.
"""

from typing import Literal

from pydantic import BaseModel, Field

from pipeline.advice.facts import SiteFacts
from pipeline.advice.measured import Option, measured

Way = Literal["rag", "lora", "both", "open"]

ENOUGH_PAIRS = 500
"""Good pairs from which on the field's rule trusts an adapter; 100 to 1,000 is where one pays."""
FEWEST_PAIRS = 100
"""With fewer, `train` warns that no more than the tone is learnt."""
MONTHLY = 1.0
"""Days with a change, a month; more often, and an adapter is stale before it is trained."""
SLOW_MS = 500.0
"""Milliseconds up to which nobody notices the search before an answer."""
FEWEST_WORDS = 300
"""With fewer words of notes there is nothing to look up and nothing to learn."""


class Wishes(BaseModel):
    """What only the owner knows; None: not asked, or not answered."""

    sources: bool | None = Field(None, description="Must a reader be able to check where an answer comes from?")
    voice: bool | None = Field(None, description="Should answers sound like you, and not only be right?")
    format: bool | None = Field(
        None, description="Do answers need a fixed form or wording that a prompt can't describe?"
    )
    regulated: bool | None = Field(None, description="Is the subject regulated, as medicine, law or finance are?")
    wait: bool | None = Field(None, description="Is half a second more before the first word acceptable?")


class Factor(BaseModel):
    """One consideration: what was found, and which way it points."""

    name: str
    evidence: str
    points: Way


class RuleQuestion(BaseModel):
    """One of the nine questions, in their order."""

    question: str
    answer: bool | None
    """None: it is open."""
    evidence: str
    points: Way
    """Which way a yes points."""


class Advice(BaseModel):
    """A recommendation with everything that it rests on."""

    recommendation: Option
    reason: str
    next: list[str]
    """What to do, in this order."""
    factors: list[Factor]
    questions: list[RuleQuestion]
    open: list[str]
    """What only the owner can say and has not said."""


def advise(facts: SiteFacts, wishes: Wishes) -> Advice:
    """What the rules and measurements recommend for this site."""
    factors, asked = factors_of(facts, wishes), questions_of(facts, wishes)
    option, reason = _choose(facts, wishes, asked)
    is_quick = facts.search is None or facts.search.p95_ms <= SLOW_MS
    unsaid = [
        str(field.description) for name, field in Wishes.model_fields.items() if getattr(wishes, name) is None and not (name == "wait" and is_quick)
    ]  # fmt: skip
    return Advice(
        recommendation=option, reason=reason, next=_next(option, facts, wishes), factors=factors, questions=asked,
        open=unsaid,
    )  # fmt: skip


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
        ("Is it about tone, style or format?", _either(wishes.voice, wishes.format), "the owner's word", "lora"),
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


def _choose(facts: SiteFacts, wishes: Wishes, asked: list[RuleQuestion]) -> tuple[Option, str]:
    if facts.words < FEWEST_WORDS:
        return "neither yet", f"the notes have {facts.words} words: there is nothing to look up and nothing to learn"
    if facts.evaluation and (found := measured(facts.evaluation))[0]:
        return found[0], f"measured on your own questions: {found[1]}"
    wants_style = bool(_either(wishes.voice, wishes.format)) or bool(wishes.regulated)
    pairs = facts.pairs or 0
    needs_notes = asked[0].answer is not False or wishes.sources is not False or not wants_style
    if not wants_style:
        return "rag", "facts are looked up better than learnt, and nothing asks for more than a persona prompt can give"
    lacking = _lacking(facts)
    if lacking:
        return "rag", f"retrieval first; for the voice a persona prompt, because {lacking}"
    if not needs_notes and asked[4].answer:
        return (
            "lora",
            "the notes are stable, no source is asked for, a search takes too long, and the voice is what counts",
        )
    if needs_notes or pairs < ENOUGH_PAIRS:
        return "both", "facts are looked up, and there are enough pairs to learn the voice"
    return "lora", "the notes are stable, no source is asked for, and the voice is what counts"


def _lacking(facts: SiteFacts) -> str:
    """What an adapter lacks to be worth a try; "" if nothing."""
    if facts.pairs is None:
        return "there is no data set yet"
    if facts.pairs < ENOUGH_PAIRS:
        return f"only {facts.pairs} pairs survived the filter, fewer than {ENOUGH_PAIRS}"
    return "" if facts.can_train else f"no model of the table can be trained in {facts.for_models:.0f} GB"


def _latency(facts: SiteFacts) -> Factor:
    if facts.search is None:
        return Factor(name="latency", evidence="not measured: there is no index", points="open")
    slow = facts.search.p95_ms > SLOW_MS
    evidence = f"a search takes {facts.search.p50_ms:.0f} ms, {facts.search.p95_ms:.0f} ms at the 95th percentile"
    return Factor(name="latency", evidence=evidence, points="lora" if slow else "rag")


def _next(option: Option, facts: SiteFacts, wishes: Wishes) -> list[str]:
    steps = []
    if option == "neither yet":
        return ["write notes, or name their folder in sitetwin.toml", "`sitetwin index`, then `sitetwin advise` again"]
    if not facts.golden:
        steps.append("`sitetwin golden draft`: without questions of your own nothing can be measured")
    if not facts.persona_chars:
        steps.append("`sitetwin persona draft --write`: a good system prompt may be all that a voice needs")
    if option == "rag" and wishes.voice is not False and (facts.pairs or 0) < ENOUGH_PAIRS:
        steps.append(
            f"`sitetwin dataset build` with a teacher until {ENOUGH_PAIRS} pairs survive, if the prompt is not enough"
        )
    if option in ("lora", "both") and facts.trained is None:
        steps.append("`sitetwin train`, then `sitetwin promote`")
    if facts.evaluation is None:
        steps.append("`sitetwin eval`: the rules above are rules; your own questions decide")
    return [*steps, "`sitetwin advise --diagnose`: what goes wrong now"]


def _either(one: bool | None, other: bool | None) -> bool | None:
    if one or other:
        return True
    return None if one is None or other is None else False


def _way(answer: bool | None, yes: Way, no: Way) -> Way:
    return "open" if answer is None else yes if answer else no
