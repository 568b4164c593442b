"""Notes to Chunks."""

import asyncio

from lfx.custom.custom_component.component import Component
from lfx.io import IntInput, MessageTextInput, Output
from lfx.schema.dataframe import DataFrame

from components.audience import opens_private
from components.configuration import configuration_input, settings_of
from components.inputs import visibility_input
from components.pairs import chunks_to_table
from pipeline.dataset.trial import read_chunks
from pipeline.settings import Visibility
from pipeline.site import Site


class NoteChunksComponent(Component):
    """Langflow's node that gives the chunks of the notes."""

    display_name = "Notes to Chunks"
    description = "The chunks of your notes that say enough for a question."
    documentation = "/sitetwin/help#notes-to-chunks"
    icon = "Files"
    name = "NoteChunksComponent"

    inputs = [
        MessageTextInput(
            name="folder",
            display_name="Folder",
            info="Of the notes that are read, relative to sitetwin.toml or absolute; empty: all its sources.",
        ),
        IntInput(
            name="limit",
            display_name="Chunks",
            info="How many chunks, from the first on; 0: all of them. A few are enough to try a prompt.",
            value=5,
        ),
        visibility_input("A teacher on another machine reads whatever is chosen here."),
        configuration_input(),
    ]
    outputs = [Output(name="chunks", display_name="Chunks", method="chunks")]

    async def chunks(self) -> DataFrame:
        """A table with one row per chunk.

        Raises:
            ValueError: it would show a visitor private notes.
            SitetwinError: there are no chunks with enough text.
        """
        visibility: Visibility = "private" if opens_private(self) else "public"
        settings = settings_of(self)
        found = await asyncio.to_thread(
            read_chunks, settings, Site(settings).cut, str(self.folder or "").strip(), visibility, max(0, self.limit)
        )
        self.log(f"{len(found)} chunks of {len({source.document for source in found})} documents")
        table = chunks_to_table(found)
        self.status = table
        return table
