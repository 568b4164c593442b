"""Persona Prompt."""

import asyncio

from fastapi.encoders import jsonable_encoder
from langchain_core.messages import convert_to_messages
from langchain_core.prompts import ChatPromptTemplate
from lfx.custom.custom_component.component import Component
from lfx.io import HandleInput, IntInput, MessageInput, MultilineInput, Output
from lfx.schema.message import Message

from components.conversation import history
from components.passages import from_input, is_connected
from pipeline.chat import understand
from pipeline.chat.composing import compose
from pipeline.chat.prompt import RULE
from pipeline.settings import load_settings


class PersonaPromptComponent(Component):
    """Langflow's node that makes a prompt of persona, passages and conversation, for any model."""

    display_name = "Persona Prompt"
    description = "Puts persona, passages, conversation and question together, so that any model can answer."
    documentation = "/sitetwin/help#persona-prompt"
    icon = "UserPen"
    name = "PersonaPromptComponent"

    inputs = [
        MessageInput(
            name="question", display_name="Question", info="What the visitor asks: connect Chat Input.", required=True
        ),
        HandleInput(
            name="passages",
            display_name="Passages",
            info="From the Notes Retriever, or from any retriever whose records have a text. They stand in a block of "
            "their own that no text can close. Without them the prompt is persona, conversation and question.",
            input_types=["Table", "JSON", "DataFrame", "Data"],
            is_list=True,
        ),
        MultilineInput(
            name="persona",
            display_name="Persona",
            info="How the assistant speaks; empty: as in sitetwin.toml.",
            value="",
        ),
        MultilineInput(
            name="rule",
            display_name="Rule",
            info="What the model is told below the passages. Without passages it is left out.",
            value=RULE,
        ),
        IntInput(
            name="history_turns",
            display_name="Earlier Turns",
            info="How many earlier questions and answers of this conversation the model sees; -1: as in sitetwin.toml.",
            value=-1,
            advanced=True,
        ),
    ]
    outputs = [Output(name="prompt", display_name="Prompt", method="prompt")]

    async def prompt(self) -> Message:
        """The prompt as Langflow's own Prompt gives it: a model gets its messages, any other node its text.

        Raises:
            ValueError: the node got no question.
            SitetwinError: the question leaves no room in the model's window.
        """
        settings = load_settings()
        question = str(self.question.text if isinstance(self.question, Message) else self.question or "").strip()
        if not question:
            raise ValueError("Persona Prompt got no question: connect Chat Input to its Question")
        persona = settings.persona
        if self.persona.strip():
            persona = persona.model_copy(update={"prompt": self.persona})
        turns = settings.chat.history_turns if self.history_turns < 0 else self.history_turns
        asked = understand(question, await history(self, turns), turns)
        passages = from_input(self.passages) if is_connected(self.passages) else None
        messages = await asyncio.to_thread(
            compose, asked, passages, chat=settings.chat, persona=persona, rule=self.rule.strip()
        )
        message = Message(text="\n\n".join(message["content"] for message in messages))
        # Messages, not templates: a brace in a note is no variable.
        message.prompt = jsonable_encoder(ChatPromptTemplate.from_messages(convert_to_messages(messages)).to_json())
        self.log(f"{len(passages or ())} passages, {len(asked.history) // 2} earlier turns")
        self.status = message.text
        return message
