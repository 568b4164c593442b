"""Persona Prompt."""

import asyncio

from fastapi.encoders import jsonable_encoder
from langchain_core.messages import convert_to_messages
from langchain_core.prompts import ChatPromptTemplate
from lfx.custom.custom_component.component import Component
from lfx.io import MultilineInput, Output
from lfx.schema.message import Message

from components.configuration import configuration_input, settings_of
from components.conversation import history
from components.inputs import (
    asked_input,
    passages_input,
    persona_input,
    persona_of,
    question_of,
    turns_input,
    turns_of,
)
from components.passages import from_input, is_connected
from pipeline.chat import understand
from pipeline.chat.composing import compose
from pipeline.chat.prompt import RULE


class PersonaPromptComponent(Component):
    """Langflow's node that makes a prompt of persona, passages and conversation, for any model."""

    display_name = "Persona Prompt"
    description = "Puts persona, passages, conversation and question together, so that any model can answer."
    documentation = "/sitetwin/help#persona-prompt"
    icon = "UserPen"
    name = "PersonaPromptComponent"

    inputs = [
        asked_input(),
        passages_input(
            "From the Notes Retriever, or from any retriever whose records have a text. They stand in a block of "
            "their own that no text can close. Without them the prompt is persona, conversation and question."
        ),
        persona_input(),
        MultilineInput(
            name="rule",
            display_name="Rule",
            info="What the model is told below the passages. Without passages it is left out.",
            value=RULE,
        ),
        turns_input(),
        configuration_input(),
    ]
    outputs = [Output(name="prompt", display_name="Prompt", method="prompt")]

    async def prompt(self) -> Message:
        """The prompt as Langflow's own Prompt gives it: a model gets its messages, any other node its text.

        Raises:
            ValueError: the node got no question.
            SitetwinError: the question leaves no room in the model's window.
        """
        settings = settings_of(self)
        question, turns = question_of(self), turns_of(self, settings)
        asked = understand(question, await history(self, turns), turns)
        passages = from_input(self.passages) if is_connected(self.passages) else None
        messages = await asyncio.to_thread(
            compose, asked, passages, chat=settings.chat, persona=persona_of(self, settings), rule=self.rule.strip()
        )
        message = Message(text="\n\n".join(message["content"] for message in messages))
        # Messages, not templates: a brace in a note is no variable.
        message.prompt = jsonable_encoder(ChatPromptTemplate.from_messages(convert_to_messages(messages)).to_json())
        self.log(f"{len(passages or ())} passages, {len(asked.history) // 2} earlier turns")
        self.status = message.text
        return message
