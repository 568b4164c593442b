"""Ask Notes."""

from langchain_core.tools import BaseTool
from lfx.custom.custom_component.component import Component
from lfx.io import DropdownInput, Output
from lfx.schema.message import Message

from components.answering import cited
from components.audience import readable
from components.configuration import configuration_input, settings_of
from components.conversation import history
from components.inputs import WHOLE_QUESTION, question_input, question_of, visibility_input
from components.tools import named, telling
from pipeline.site import Site


class AskNotesComponent(Component):
    """Langflow's node that answers a question from the notes, all in one."""

    display_name = "Ask Notes"
    description = "Answers a question from your notes and names the sources: search, model and check in one."
    documentation = "/sitetwin/help#ask-notes"
    icon = "MessageCircleQuestion"
    name = "AskNotesComponent"

    inputs = [
        question_input(WHOLE_QUESTION, tool_mode=True),
        DropdownInput(
            name="mode",
            display_name="Mode",
            info="rag: from the notes. hybrid: also in the voice of the promoted adapter. lora: that voice alone, without "
            "looking anything up. base: the model alone.",
            options=["rag", "hybrid", "lora", "base"],
            value="rag",
        ),
        visibility_input("Leave it at public in every flow that a visitor can reach."),
        configuration_input(),
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
        settings = settings_of(self)
        question, visibility = question_of(self), readable(self)
        earlier = await history(self, settings.chat.history_turns)
        pieces = Site(settings).assistant.ask(question, mode=self.mode, history=earlier, visibility=visibility)
        return await cited(self, pieces, settings.gateway)

    async def _get_tools(self) -> list[BaseTool]:
        return named(telling(await super()._get_tools()), "ask_notes")
