"""Pair Filter."""

import asyncio
from typing import Any

from lfx.custom.custom_component.component import Component
from lfx.io import BoolInput, DataFrameInput, IntInput, MultiselectInput, Output
from lfx.schema.dataframe import DataFrame

from components.configuration import configuration_input, settings_of
from components.pairs import pairs_from, reviewed_to_table
from pipeline.dataset.trial import sieve
from pipeline.parts import FILTER_STAGES
from pipeline.settings import Settings
from pipeline.site import Site

JUDGE = "judge"


class PairFilterComponent(Component):
    """Langflow's node that runs pairs through the filter."""

    display_name = "Pair Filter"
    description = "Tells good pairs from bad ones as a build of a data set does, and says why."
    documentation = "/sitetwin/help#pair-filter"
    icon = "ListFilter"
    name = "PairFilterComponent"

    inputs = [
        DataFrameInput(name="pairs", display_name="Pairs", info="From the Teacher.", required=True),
        MultiselectInput(
            name="stages",
            display_name="Stages",
            info="Of the filter; none chosen: as in sitetwin.toml.",
            options=[stage for stage in FILTER_STAGES.choices() if stage != JUDGE],
            value=[],
        ),
        IntInput(
            name="min_score",
            display_name="Lowest Score",
            info="A lower grade rejects the pair, 1 to 10; 0: as in sitetwin.toml.",
            value=0,
        ),
        BoolInput(
            name="judge",
            display_name="Ask the Judge",
            info="Have the judge of sitetwin.toml grade each pair, which takes about as long as writing them.",
            value=False,
        ),
        configuration_input(),
    ]
    outputs = [
        Output(name="reviewed", display_name="Reviewed", method="reviewed", group_outputs=True),
        Output(name="accepted", display_name="Accepted", method="accepted", group_outputs=True),
        Output(name="rejected", display_name="Rejected", method="rejected", group_outputs=True),
    ]

    async def reviewed(self) -> DataFrame:
        """A table with all pairs and the filter's verdict.

        Raises:
            ValueError: Ask the Judge is on, but no model judges; or the table has no pairs.
            ModelError: the judge can't be reached.
        """
        settings = self._settings()
        site = Site(settings)
        judge = await asyncio.to_thread(site.judge)
        if self.judge and judge is None:
            raise ValueError("no model judges: set teacher.judge in sitetwin.toml, or switch Ask the Judge off")
        candidates = pairs_from(self.pairs)
        sieved = await sieve(candidates, judge, site.embed, settings)
        table = reviewed_to_table(candidates, {row.pair.id: row.rejection for row in sieved.rejected})
        self.log(f"{len(sieved.accepted)} pairs accepted, {len(sieved.rejected)} rejected")
        self.status = table
        return table

    async def accepted(self) -> DataFrame:
        """The accepted rows of `reviewed`."""
        return DataFrame([row for row in await self._rows() if row["accepted"]])

    async def rejected(self) -> DataFrame:
        """The rejected rows of `reviewed`."""
        return DataFrame([row for row in await self._rows() if not row["accepted"]])

    async def _rows(self) -> list[dict[str, Any]]:
        table: DataFrame = await self.resolve_output("reviewed")
        return list(table.to_dict(orient="records"))

    def _settings(self) -> Settings:
        """The settings of sitetwin.toml, overridden by this node's fields."""
        settings = settings_of(self)
        stages = list(self.stages or settings.dataset.stages)
        stages = [stage for stage in stages if stage != JUDGE] + ([JUDGE] if self.judge else [])
        dataset: dict[str, object] = {"stages": stages}
        if self.min_score:
            dataset["min_score"] = self.min_score
        return settings.model_copy(update={"dataset": settings.dataset.model_copy(update=dataset)})
