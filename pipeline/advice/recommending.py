"""RAG, LoRA, both or neither yet: the rules of the field, answered from a site's facts. Pure.

The six factors and nine questions are those that guides on retrieval and fine-tuning agree on. Where they conflict,
retrieval comes first: it is quicker to set up, names its sources, and its failures become training rows. A measurement
of the site itself outweighs every rule.
"""

from pydantic import BaseModel

from pipeline.advice.factors import Factor, factors_of
from pipeline.advice.facts import SiteFacts
from pipeline.advice.measured import Option, measured
from pipeline.advice.rules import RuleQuestion, questions_of
from pipeline.advice.wishes import ENOUGH_PAIRS, SLOW_MS, Wishes, either

FEWEST_WORDS = 300
"""With fewer words of notes there is nothing to look up and nothing to learn."""


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


def _choose(facts: SiteFacts, wishes: Wishes, asked: list[RuleQuestion]) -> tuple[Option, str]:
    if facts.words < FEWEST_WORDS:
        return "neither yet", f"the notes have {facts.words} words: there is nothing to look up and nothing to learn"
    if facts.evaluation and (found := measured(facts.evaluation))[0]:
        return found[0], f"measured on your own questions: {found[1]}"
    wants_style = bool(either(wishes.voice, wishes.format)) or bool(wishes.regulated)
    needs_notes = asked[0].answer is not False or wishes.sources is not False
    if not wants_style:
        return "rag", "facts are looked up better than learnt, and nothing asks for more than a persona prompt can give"
    lacking = _lacking(facts)
    if lacking:
        return "rag", f"retrieval first; for the voice a persona prompt, because {lacking}"
    if needs_notes:
        return "both", "facts are looked up, and there are enough pairs to learn the voice"
    return "lora", "the notes are stable, no source is asked for, and the voice is what counts"


def _lacking(facts: SiteFacts) -> str:
    """What an adapter lacks to be worth a try; "" if nothing."""
    if facts.pairs is None:
        return "there is no data set yet"
    if facts.pairs < ENOUGH_PAIRS:
        return f"only {facts.pairs} pairs survived the filter, fewer than {ENOUGH_PAIRS}"
    return "" if facts.can_train else f"no model of the table can be trained in {facts.for_models:.0f} GB"


def _next(option: Option, facts: SiteFacts, wishes: Wishes) -> list[str]:
    steps = []
    if option == "neither yet":
        return ["write notes, or name their folder in sitetwin.toml", "`sitetwin index`, then `sitetwin advise` again"]
    if not facts.golden:
        steps.append("`sitetwin golden draft`: without questions of your own nothing can be measured")
    if not facts.persona_chars and wishes.voice is not False:
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
