"""Adapter Choice."""

from typing import Any

from langchain_core.tools import BaseTool
from lfx.custom.custom_component.component import Component
from lfx.io import DropdownInput, Output
from lfx.schema.data import Data
from lfx.schema.dataframe import DataFrame
from lfx.schema.message import Message

from components.audience import only_for_the_owner
from components.configuration import configuration_input, settings_of
from components.tools import telling
from pipeline.adapters import Adapter, adapters, answering_adapter
from pipeline.training.listing import RunRow, run_rows

PROMOTED = "promoted"


class AdapterChoiceComponent(Component):
    """Langflow's node that names an adapter and lists the runs."""

    display_name = "Adapter Choice"
    description = "The trained adapters and their runs as data, and the one that is chosen. For you alone."
    documentation = "/sitetwin/help#adapter-choice"
    icon = "ListChecks"
    name = "AdapterChoiceComponent"

    inputs = [
        DropdownInput(
            name="adapter",
            display_name="Adapter",
            info="promoted: whichever `sitetwin promote` put to use. Refresh list fetches the trained ones.",
            options=[PROMOTED],
            value=PROMOTED,
            refresh_button=True,
            tool_mode=True,
        ),
        configuration_input(),
    ]
    outputs = [
        Output(name="name", display_name="Name", method="chosen_name", group_outputs=True),
        Output(name="card", display_name="Card", method="chosen_card", group_outputs=True),
        Output(name="runs", display_name="Runs", method="all_runs", group_outputs=True),
    ]

    def update_build_config(
        self, build_config: dict[str, Any], field_value: object, field_name: str | None = None
    ) -> dict[str, Any]:
        """The node's fields with the trained adapters as options, after a click on Refresh list under Adapter."""
        if field_name == "adapter":
            build_config["adapter"]["options"] = [PROMOTED, *(one.name for one in adapters(settings_of(build_config)))]
        return build_config

    async def chosen_name(self) -> Message:
        """The chosen adapter's name.

        Raises:
            ModelError: there is no such adapter, or none is promoted.
        """
        self.status = self._chosen().name
        return Message(text=self.status)

    async def chosen_card(self) -> Data:
        """What the chosen adapter was made of. Raises ModelError as `chosen_name` does."""
        one = self._chosen()
        card = Data(data={"name": one.name, "base": one.base, "visibility": one.visibility, "data_set": one.dataset})
        self.status = card
        return card

    async def all_runs(self) -> DataFrame:
        """A table with one row per run, the newest first; empty before the first training."""
        only_for_the_owner(self)
        table = DataFrame([row.model_dump() for row in run_rows(settings_of(self))], columns=list(RunRow.model_fields))
        self.status = table
        return table

    def _chosen(self) -> Adapter:
        only_for_the_owner(self)
        name = None if self.adapter in (PROMOTED, "", None) else str(self.adapter)
        return answering_adapter(settings_of(self), name, None)

    async def _get_tools(self) -> list[BaseTool]:
        return telling(await super()._get_tools(), _told)


def _told(found: object) -> str:
    if isinstance(found, DataFrame):
        return "\n".join(RunRow.model_validate(row).said for row in found.to_dict(orient="records")) or "no runs yet"
    return str(found.data if isinstance(found, Data) else getattr(found, "text", found))
