"""The messages for any model, for whoever calls the model himself."""

from collections.abc import Sequence

from pipeline.chat.conversation import Asked
from pipeline.chat.prompt import grounded_messages, lora_messages
from pipeline.chat.records import Turn
from pipeline.chat.refusing import question_language, told_language
from pipeline.chat.room import fitted
from pipeline.index.passages import Passage
from pipeline.settings import ChatSettings, PersonaSettings
from pipeline.text.inert import without_control_tokens


def compose(
    asked: Asked, passages: Sequence[Passage] | None, *, chat: ChatSettings, persona: PersonaSettings, rule: str = ""
) -> list[dict[str, str]]:
    """The messages (role, content): persona, earlier turns, then the passages in a block of their own and the question.

    No text of a passage or a visitor can close the block, or act as a control token, whichever server reads it.

    Args:
        asked: the question in its conversation.
        passages: best first; None: the persona and the conversation alone.
        chat: tells how much the model can read.
        persona: who the model speaks as.
        rule: what is told below the passages; "": sitetwin's own words.

    Raises:
        SitetwinError: the question leaves no room in the model's window.
    """
    question = without_control_tokens(asked.question)
    history = [Turn(role=turn.role, content=without_control_tokens(turn.content)) for turn in asked.history]
    inert = [_without_control_tokens(passage) for passage in passages or ()]
    read, turns = fitted(question, persona.instruction, inert, history, chat.window, chat.max_tokens)
    if passages is None:
        return lora_messages(question, turns, persona)
    texts = [passage.text for passage in read]
    language, _ = told_language(question_language(question, texts), "\n".join(texts))
    # Models read best what stands last.
    return grounded_messages(question, read[::-1], turns, persona, language=language, rule=rule)


def _without_control_tokens(passage: Passage) -> Passage:
    plain = {name: without_control_tokens(getattr(passage, name)) for name in ("title", "heading", "text")}
    return passage.model_copy(update=plain)
