"""Ask Notes."""

from collections.abc import AsyncIterator

from langchain_core.tools import BaseTool
from lfx.custom.custom_component.component import Component
from lfx.io import DropdownInput, MessageTextInput, Output
from lfx.schema.message import Message

from components import wire
from components.audience import PUBLIC, VISIBILITIES, opens_private
from components.conversation import history
from components.sources import with_sources
from components.streaming import streamed
from components.threads import iterate
from components.tools import named
from pipeline.chat import Answer
from pipeline.settings import Visibility, load_settings
from pipeline.site import Site

PROMOTED = "promoted"


class AskNotesComponent(Component):
    """Langflow's node that answers a question from the notes, all in one."""

    display_name = "Ask Notes"
    description = "Answers a question from your notes and names the sources: search, model and check in one."
    documentation = "/sitetwin/help#ask-notes"
    icon = "MessageCircleQuestion"
    name = "AskNotesComponent"

    inputs = [
        MessageTextInput(
            name="question",
            display_name="Question",
            info="The whole question, in the words of whoever asks it.",
            required=True,
            tool_mode=True,
        ),
        DropdownInput(
            name="mode",
            display_name="Mode",
            info="rag: from the notes. hybrid: also in the voice of the promoted adapter. lora: that voice alone, without "
            "looking anything up. base: the model alone.",
            options=["rag", "hybrid", "lora", "base"],
            value="rag",
        ),
        DropdownInput(
            name="visibility",
            display_name="Visibility",
            info="Leave it at public in every flow that a visitor can reach.",
            options=VISIBILITIES,
            value=PUBLIC,
            advanced=True,
        ),
    ]
    outputs = [
        Output(
            name="answer",
            display_name="Answer",
            method="answer",
            info="Answers a question from the notes of this site's owner, with numbered sources and their links.",
        )
    ]

    async def answer(self) -> Message:
        """The answer as `sitetwin ask` gives it, streamed where a page listens. Its metadata holds the Answer.

        Raises:
            ValueError: the node got no question.
            SitetwinError: no index, no adapter for a mode that needs one, or no model.
        """
        settings = load_settings()
        question = str(self.question or "").strip()
        if not question:
            raise ValueError("Ask Notes got no question: connect Chat Input to its Question")
        visibility: Visibility | None = None if opens_private(self) else "public"
        earlier = await history(self, settings.chat.history_turns)
        pieces = iterate(Site(settings).assistant.ask(question, mode=self.mode, history=earlier, visibility=visibility))
        record: Answer | None = None

        async def texts() -> AsyncIterator[str]:
            nonlocal record
            async for piece in pieces:
                if isinstance(piece, Answer):
                    record = piece
                else:
                    yield piece

        message = await streamed(self, texts())
        if record is not None:
            message.text = with_sources(record, f"http://{settings.gateway.host}:{settings.gateway.port}/")
            message.session_metadata = {**(message.session_metadata or {}), **wire.pack(record)}
        self.status = message
        return message

    async def _get_tools(self) -> list[BaseTool]:
        return named(await super()._get_tools(), "ask_notes")
