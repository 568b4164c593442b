"""Name Sources."""

import asyncio

from lfx.custom.custom_component.component import Component
from lfx.io import BoolInput, MessageInput, Output
from lfx.schema.message import Message

from components.answering import cited
from components.configuration import configuration_input, settings_of
from components.inputs import asked_input, question_of
from components.tools import passages_of
from pipeline.chat import Answer
from pipeline.chat.citations import citations, mark
from pipeline.chat.refusing import question_language, refusal_in, sounds_like_refusal
from pipeline.site import Site


class NameSourcesComponent(Component):
    """Langflow's node that names the sources of what an agent has written."""

    display_name = "Name Sources"
    description = "Marks each sentence of an agent's answer with the passage that says so, and lists the sources."
    documentation = "/sitetwin/help#name-sources"
    icon = "BookMarked"
    name = "NameSourcesComponent"

    inputs = [
        asked_input(),
        MessageInput(
            name="reply",
            display_name="Reply",
            info="The Response of an Agent whose tools are Notes Retriever or Ask Notes.",
            required=True,
        ),
        BoolInput(
            name="only_with_source",
            display_name="Only with a Source",
            info="Say that it is not in the notes where no sentence of the reply has a source.",
            value=True,
        ),
        configuration_input(),
    ]
    outputs = [Output(name="answer", display_name="Answer", method="answer")]

    async def answer(self) -> Message:
        """The reply with marks and sources, or the refusal. Its metadata holds the Answer.

        A sentence that no passage says stays without a mark.

        Raises:
            ValueError: the node got no question, or the agent wrote nothing.
            SitetwinError: the embedder can't be had.
        """
        settings, question = settings_of(self), question_of(self)
        reply = self.reply.get_text().strip()
        if not reply:
            raise ValueError("the agent wrote nothing: ask again, or name a larger model in sitetwin.toml")
        searches = passages_of(self.reply)
        passages = list({(one.document, one.heading, one.text): one for found in searches for one in found}.values())
        self.log(f"{len(passages)} passages of {len(searches)} results that the agent got")
        # Each search numbers its passages from 1: after two of them a number of the model's says nothing.
        has_numbers = len(searches) == 1
        text = await asyncio.to_thread(mark, reply, passages, Site(settings).similarity, keeps_marks=has_numbers)
        sources, refusals = citations(text, passages), settings.chat.refusals
        declines = not sources and sounds_like_refusal(reply, refusals.values())
        if not sources and not declines and self.only_with_source:
            text, declines = refusal_in(question_language(question, (one.text for one in passages)), refusals), True
        record = Answer(
            question=question, mode="rag", answer=text, citations=sources, refused=declines, model="agent",
            form="refused" if declines else "written",
        )  # fmt: skip
        return await cited(self, iter([text, record]), settings.gateway)
