"""Messages for the model. Passages and visitors' words are data: they stand in delimited blocks."""

import re
from collections.abc import Sequence

from pipeline.chat.records import Turn
from pipeline.index.passages import Passage
from pipeline.settings import PersonaSettings
from pipeline.text.inert import inert

RULE = "Answer in one or two short sentences, using only the notes above."
"""What a model is told below the passages."""
TUNED_RULE = f"Speak as you have learnt to. {RULE} Where what you remember disagrees with them, the notes are right."
"""The same for a model that answers under an adapter."""
_NUMBERED = re.compile(r"^([ \t]*)\[(\d{1,3})\](?=[ \t])", re.MULTILINE)
"""How a passage begins."""
_UNGROUNDED = (
    "You are the assistant of this site. You have no notes at hand: say so when a question is about them. Be brief."
)


def grounded_messages(
    question: str,
    passages: Sequence[Passage],
    history: Sequence[Turn],
    persona: PersonaSettings,
    *,
    tuned: bool = False,
    language: str = "",
    rule: str = "",
) -> list[dict[str, str]]:
    """The passages, the rule, then the question: for mode rag, and for mode hybrid with a model that is `tuned`.

    No marks are asked for: `citations` sets them. The fewest words are best for a small model: see docs/measured-answers.md.

    Args:
        passages: in this order; the nearest to the question is read best.
        language: what to answer in, such as `German`; "": whatever the model takes.
        rule: what is told below the passages; "": `RULE`, or `TUNED_RULE` for a tuned model.
    """
    blocks = "\n\n".join(f"{_line(heading_line(p))}\n{_data(p.text)}" for p in passages)
    rule = rule or (TUNED_RULE if tuned else RULE)
    told = f"{rule} Answer in {language}." if language else rule
    user = f"<passages>\n{blocks}\n</passages>\n\n{told}\n\nQuestion: {_data(question)}"
    turns = [{"role": turn.role, "content": _data(turn.content)} for turn in history]
    system = [_system("", persona)] if persona.instruction else []
    return [*system, *turns, {"role": "user", "content": user}]


def lora_messages(question: str, history: Sequence[Turn], persona: PersonaSettings) -> list[dict[str, str]]:
    """For mode lora: what the adapter was trained on, the persona alone and the question."""
    system = [_system("", persona)] if persona.instruction else []
    return [*system, *_turns(history), {"role": "user", "content": question}]


def base_messages(question: str, history: Sequence[Turn], persona: PersonaSettings) -> list[dict[str, str]]:
    """For mode base: the model alone."""
    return [_system(_UNGROUNDED, persona), *_turns(history), {"role": "user", "content": question}]


def heading_line(passage: Passage) -> str:
    """A passage's title, with its heading behind it where it has one."""
    return f"{passage.title} > {passage.heading}" if passage.heading else passage.title


def _system(rules: str, persona: PersonaSettings) -> dict[str, str]:
    return {"role": "system", "content": f"{persona.instruction} {rules}".strip()}


def _turns(history: Sequence[Turn]) -> list[dict[str, str]]:
    return [{"role": turn.role, "content": turn.content} for turn in history]


def _data(text: str) -> str:
    """Notes and questions can't close the block of the passages, open one, or begin a passage of their own."""
    return _NUMBERED.sub(r"\1(\2)", inert(text, ("passages",)))


def _line(text: str) -> str:
    return " ".join(_data(text).split())
