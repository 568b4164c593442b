"""Notes Retriever."""

import asyncio
from functools import cache

from langchain_core.tools import BaseTool
from lfx.custom.custom_component.component import Component
from lfx.io import DropdownInput, IntInput, MessageTextInput, Output
from lfx.schema.dataframe import DataFrame

from components.audience import readable
from components.configuration import configuration_input, settings_of
from components.conversation import history
from components.inputs import WHOLE_QUESTION, question_input, question_of, visibility_input
from components.passages import from_input, to_table, to_text
from components.rounds import SEARCH
from components.tools import keep, named, telling
from pipeline.chat import found_for, understand
from pipeline.index.filters import Filters, parse_day
from pipeline.index.passages import SearchResult
from pipeline.site import Site

AS_IN_SETTINGS = "as in sitetwin.toml"


class RetrieverComponent(Component):
    """Langflow's node that searches the notes."""

    display_name = "Notes Retriever"
    description = "Finds the passages of your notes that fit a question. An earlier question of the conversation helps."
    documentation = "/sitetwin/help#notes-retriever"
    icon = "BookOpenText"
    name = "RetrieverComponent"

    inputs = [
        question_input(WHOLE_QUESTION, tool_mode=True),
        IntInput(
            name="k",
            display_name="Passages",
            info="How many passages to return; 0: as in sitetwin.toml.",
            value=0,
        ),
        DropdownInput(
            name="retrieval",
            display_name="Retrieval",
            info="Which lists are asked: meaning (dense), words (keyword) or both (hybrid).",
            options=[AS_IN_SETTINGS, "hybrid", "dense", "keyword"],
            value=AS_IN_SETTINGS,
        ),
        visibility_input(
            "Leave it at public in every flow that a visitor can reach: whatever is found can be read by them."
        ),
        MessageTextInput(
            name="folder",
            display_name="Folder",
            info="Only documents below this folder, e.g. docs or blog/2019; empty: all.",
            advanced=True,
        ),
        MessageTextInput(
            name="tags",
            display_name="Tags",
            info="Only documents that have all these tags, with commas between; empty: all.",
            advanced=True,
        ),
        MessageTextInput(
            name="after",
            display_name="After",
            info="Only documents of this day or later, as 2024-03-31; empty: all, undated ones too.",
            advanced=True,
        ),
        MessageTextInput(
            name="before",
            display_name="Before",
            info="Only documents of this day or earlier, as 2024-03-31; empty: all, undated ones too.",
            advanced=True,
        ),
        configuration_input(),
    ]
    outputs = [
        Output(
            name="passages",
            display_name="Passages",
            method="retrieve",
            info="Finds passages of the notes of this site's owner, each with its title, link and text, best first.",
        )
    ]

    async def retrieve(self) -> DataFrame:
        """A table with one row per passage, best first.

        Raises:
            ValueError: the node got no question, or would show a visitor private notes.
            SitetwinError: a date can't be read, or the search fails.
        """
        settings = settings_of(self)
        question, visibility = question_of(self), readable(self)
        filters = Filters(
            folder=str(self.folder).strip(),
            tags=tuple(tag.strip() for tag in str(self.tags).split(",") if tag.strip()),
            after=parse_day(str(self.after)),
            before=parse_day(str(self.before)),
        )
        turns = settings.chat.history_turns
        earlier = await history(self, turns)

        def search() -> SearchResult:
            with Site(settings).index() as index:

                @cache
                def find(query: str) -> SearchResult:
                    return index.search(
                        query,
                        k=self.k or None,
                        retrieval=None if self.retrieval == AS_IN_SETTINGS else self.retrieval,
                        visibility=visibility,
                        filters=filters,
                    )

                asked = understand(question, earlier, turns, lambda query: find(query).passages)
                passages = found_for(asked, lambda query: find(query).passages)
                return find(asked.subject).model_copy(update={"passages": passages})

        result = await asyncio.to_thread(search)
        self.log(result.note or f"{len(result.passages)} passages in {result.took_ms:.0f} ms for: {result.query}")
        keep(result.passages)
        table = to_table(result.passages, result.took_ms)
        self.status = table
        return table

    async def _get_tools(self) -> list[BaseTool]:
        """The search as Langflow's tool, whose result is text."""
        site = settings_of(self).gateway.own_url

        def told(found: object) -> str:
            return to_text(from_input(found), site)

        return named(telling(await super()._get_tools(), told), SEARCH)
