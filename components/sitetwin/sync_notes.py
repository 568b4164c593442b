"""Sync Notes."""

from langchain_core.tools import BaseTool
from lfx.custom.custom_component.component import Component
from lfx.io import BoolInput, DropdownInput, Output
from lfx.schema.dataframe import DataFrame

from components.audience import only_for_the_owner
from components.configuration import configuration_input, settings_of
from components.progress import in_thread, say
from components.tools import telling
from pipeline.index.news import ORDER, DocumentNews, sync_with_news
from pipeline.index.passages import SyncReport
from pipeline.progress import ProgressReport
from pipeline.site import Site

ALL = "all"


class SyncNotesComponent(Component):
    """Langflow's node that brings the index up to date."""

    display_name = "Sync Notes"
    description = "Brings the index up to date with your notes, and lists what changed and what failed. For you alone."
    documentation = "/sitetwin/help#sync-notes"
    icon = "RefreshCw"
    name = "SyncNotesComponent"

    inputs = [
        DropdownInput(
            name="show",
            display_name="Show",
            info="Which files the table lists. Skipped ones are those that your settings leave out.",
            options=["changed and failed", ALL, *ORDER],
            value="changed and failed",
            tool_mode=True,
        ),
        BoolInput(
            name="rebuild",
            display_name="Rebuild",
            info="Embed everything again, as after a change of the embedder. It takes minutes for thousands of notes.",
            value=False,
            advanced=True,
        ),
        configuration_input(),
    ]
    outputs = [Output(name="files", display_name="Files", method="sync")]

    async def sync(self) -> DataFrame:
        """A table with a row for each file that is not as it was: what became of it, and why.

        Raises:
            SitetwinError: as `Index.sync`.
        """
        only_for_the_owner(self)
        site = Site(settings_of(self))

        def work(report: ProgressReport, _: object) -> tuple[SyncReport, list[DocumentNews]]:
            with site.index() as index:
                made = sync_with_news(index, report, rebuild=self.rebuild)
            site.calibrate()
            return made

        synced, found = await in_thread(self, work)
        wanted = {"changed and failed": set(ORDER) - {"skipped"}, ALL: set(ORDER)}.get(self.show, {self.show})
        table = DataFrame([row.model_dump() for row in found if row.what in wanted])
        table.attrs["summary"] = synced.summary()
        say(self, synced.summary())
        return table

    async def _get_tools(self) -> list[BaseTool]:
        return telling(await super()._get_tools(), _told)


def _told(found: object) -> str:
    """The summary and a line for each file, for an agent."""
    if not isinstance(found, DataFrame):
        return str(found)
    rows = found.to_dict(orient="records")
    lines = [f"{row['what']}: {row['document']}" + (f" ({row['reason']})" if row["reason"] else "") for row in rows]
    return "\n".join([str(found.attrs["summary"]), *lines])
