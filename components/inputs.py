"""Inputs that several nodes have, and what a node reads from them."""

from lfx.custom.custom_component.component import Component
from lfx.io import DropdownInput, HandleInput, IntInput, MessageInput, MessageTextInput, MultilineInput
from lfx.schema.message import Message

from components.audience import PUBLIC, VISIBILITIES
from pipeline.settings import PersonaSettings, Settings

WHOLE_QUESTION = "The whole question, in the words of whoever asks it."
PUBLIC_ANSWERS = "public: answer as visitors are answered."


def question_input(info: str, *, tool_mode: bool = False) -> MessageTextInput:
    """Question, as text. An agent fills it in where the node can be its tool."""
    return MessageTextInput(name="question", display_name="Question", info=info, required=True, tool_mode=tool_mode)


def asked_input() -> MessageInput:
    """Question, as the message of a conversation."""
    return MessageInput(
        name="question", display_name="Question", info="What the visitor asks: connect Chat Input.", required=True
    )


def question_of(component: Component) -> str:
    """What the node was asked.

    Raises:
        ValueError: it got no question.
    """
    asked = component.question
    question = str(asked.text if isinstance(asked, Message) else asked or "").strip()
    if not question:
        raise ValueError(f"{component.display_name} got no question: connect Chat Input to its Question")
    return question


def visibility_input(info: str) -> DropdownInput:
    """Visibility, which `components.audience` reads."""
    return DropdownInput(
        name="visibility", display_name="Visibility", info=info, options=VISIBILITIES, value=PUBLIC, advanced=True
    )


def passages_input(info: str, *, required: bool = False) -> HandleInput:
    """Passages of one or several retrievers, which `components.passages` reads."""
    return HandleInput(
        name="passages",
        display_name="Passages",
        info=info,
        input_types=["Table", "JSON", "DataFrame", "Data"],
        is_list=True,
        required=required,
    )


def after_input(example: str) -> HandleInput:
    """After: an edge that only says what runs first."""
    return HandleInput(
        name="after",
        display_name="After",
        info=f"Optional: what must be done before, such as Chat Input or {example}.",
        input_types=["Message", "Table", "JSON", "DataFrame", "Data"],
    )


def persona_input() -> MultilineInput:
    """Persona."""
    return MultilineInput(
        name="persona", display_name="Persona", info="How the assistant speaks; empty: as in sitetwin.toml.", value=""
    )


def persona_of(component: Component, settings: Settings) -> PersonaSettings:
    """The persona of sitetwin.toml, with the node's own words if it has any."""
    if not component.persona.strip():
        return settings.persona
    return settings.persona.model_copy(update={"prompt": component.persona})


def turns_input() -> IntInput:
    """Earlier Turns."""
    return IntInput(
        name="history_turns",
        display_name="Earlier Turns",
        info="How many earlier questions and answers of this conversation the model sees; -1: as in sitetwin.toml.",
        value=-1,
        advanced=True,
    )


def turns_of(component: Component, settings: Settings) -> int:
    """How many earlier questions and answers the model sees."""
    return settings.chat.history_turns if component.history_turns < 0 else int(component.history_turns)
