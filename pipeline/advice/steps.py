"""What an evaluation's figures call for: one code for the report of `sitetwin eval` and for `sitetwin advise`. Pure.

Two systems can call for opposite changes of one setting; then neither is advised.
"""

from collections.abc import Mapping

from pipeline.advice.facts import LastEvaluation, SystemFigures

LEAST_RECALL = 0.7
"""Below this share of questions whose page is found, retrieval is what fails."""
IGNORED = 0.2
"""From this share of answers on that cite the fact's page and lack the fact, the context counts as ignored."""
LONG_PERSONA = 600
"""Characters of a persona from which on it may drown the question."""
BOLD = 0.5
"""Below this share of unanswerable questions that are declined, too much is answered."""
SHY = 0.15
"""Above this share of answerable questions that are declined, too little is."""


def ignores(system: SystemFigures) -> bool:
    """Whether the system names the right page and misses the fact too often."""
    return bool(system.cited) and system.ignored / system.cited >= IGNORED


def heeding(quotes: bool, persona_chars: int = 0) -> str:
    """What mends an answer that names the right page and misses the fact.

    Args:
        quotes: whether answers are quotations.
        persona_chars: the length of the persona's instruction with its samples.
    """
    if quotes:
        return (
            "name a models.chat that writes answers, or chat.quote_first = false: a quotation can be the wrong sentence "
            "of the right page"
        )
    shorter = f"shorten the persona ({persona_chars} characters), " if persona_chars > LONG_PERSONA else ""
    return f"{shorter}set chat.passages to 2, name a larger models.chat, or set chat.quote_first = true"


def next_steps(evaluation: LastEvaluation) -> list[str]:
    """What to do, each step in one sentence: the sign, and the command or setting that mends it."""
    steps = []
    for name, system in evaluation.systems.items():
        figures, reads = system.figures, system.mode in ("rag", "hybrid")
        if reads and figures.get("citation_hit", 1) < LEAST_RECALL:
            steps.append(
                f"{name} names the right page in {figures['citation_hit']:.0%} of its answers only: `sitetwin advise "
                "--diagnose` says whether the search loses it, and what mends that."
            )
        if figures.get("staleness", 0) > 0:
            mend = (
                "look facts up, do not train them in" if system.mode == "lora"
                else "an older note still says so; correct it there, or give the notes dates"
            )  # fmt: skip
            steps.append(f"{name} says what a note said before its change: {mend}.")
    steps += [*_ignoring(evaluation.systems), *_declining(evaluation.systems)]
    if not any(system.mode in ("lora", "hybrid") for system in evaluation.systems.values()):
        steps.append(
            "No adapter was asked: `sitetwin train`, then `sitetwin eval --systems base,rag,lora:RUN,hybrid:RUN`."
        )
    return steps


def _ignoring(systems: Mapping[str, SystemFigures]) -> list[str]:
    """Whether answers are quotations is one setting too."""
    found = {name: one.quotes for name, one in systems.items() if one.mode in ("rag", "hybrid") and ignores(one)}
    if set(found.values()) == {True, False}:
        return [
            f"{_all(list(found), 'find')} the page and miss the fact, in quotations and in the model's words: set "
            "chat.passages to 2, or name a larger models.chat."
        ]
    return [
        f"{_all([name], 'find')} the page and misses the fact: {heeding(quotes)}." for name, quotes in found.items()
    ]


def _declining(systems: Mapping[str, SystemFigures]) -> list[str]:
    """One setting decides what is declined, for all systems that read notes."""
    readers = {name: one.figures for name, one in systems.items() if one.mode in ("rag", "hybrid")}
    bold = [name for name, figures in readers.items() if figures.get("refusal_recall", 1) < BOLD]
    shy = [name for name, figures in readers.items() if figures.get("wrongly_refused", 0) > SHY]
    if bold and shy:
        return [
            f"{_all(bold)} too much of what the notes do not say, and {_all(shy, 'decline')} too much of what they do: "
            "`chat.decline_below` would mend one and worsen the other, so leave it. `sitetwin search QUESTION --explain` "
            "shows the passages that both kinds of question get; another embedder or a reranker may tell them apart."
        ]
    if bold:
        return [f"{_all(bold)} what the notes do not say: raise `chat.decline_below`."]
    if shy:
        return [f"{_all(shy, 'decline')} what the notes answer: lower `chat.decline_below`."]
    return []


def _all(names: list[str], verb: str = "answer") -> str:
    return f"{' and '.join(names)} {verb}{'s' if len(names) == 1 else ''}"
