"""Adapter Training."""

import asyncio
from collections.abc import AsyncIterator
from typing import get_args

from langchain_core.tools import BaseTool
from lfx.custom.custom_component.component import Component
from lfx.io import BoolInput, DropdownInput, MultilineInput, Output
from lfx.schema.dataframe import DataFrame
from lfx.schema.message import Message

from components.audience import only_for_the_owner
from components.charts import attach_picture
from components.configuration import configuration_input, settings_of
from components.inputs import after_input
from components.progress import say
from components.streaming import streamed
from components.threads import iterate
from pipeline.errors import SitetwinError
from pipeline.jobs.retraining.following import follow, in_markdown, result
from pipeline.jobs.retraining.job import RetrainingRequest
from pipeline.jobs.retraining.launch import start
from pipeline.training.config import Preset, parse_assignments
from pipeline.training.registry import CHART, run_folder


class AdapterTrainingComponent(Component):
    """Langflow's node that retrains the adapter."""

    display_name = "Adapter Training"
    description = (
        "Teaches the adapter what has changed in your notes, and promotes it if it answers no worse. For you alone."
    )
    documentation = "/sitetwin/help#adapter-training"
    icon = "Dumbbell"
    name = "AdapterTrainingComponent"

    inputs = [
        after_input("Sync Notes"),
        DropdownInput(
            name="preset",
            display_name="Preset",
            info="best, unless you want to see too little (underfit) or too much (overfit) of it.",
            options=list(get_args(Preset)),
            value="best",
            tool_mode=True,
        ),
        BoolInput(
            name="force",
            display_name="Force",
            info="Train even if no note has changed since the last training.",
            value=False,
        ),
        BoolInput(
            name="wait",
            display_name="Wait for the End",
            info="Off: start it and go on. It runs in the background either way, also after the flow is stopped; "
            "`sitetwin retrain cancel` ends it.",
            value=True,
            advanced=True,
        ),
        MultilineInput(
            name="values",
            display_name="Other Keys",
            info="mlx-lm's keys, over the preset, one in a line, such as iters=200.",
            value="",
            advanced=True,
        ),
        configuration_input(),
    ]
    outputs = [
        Output(name="report", display_name="Report", method="report", group_outputs=True),
        Output(name="result", display_name="Result", method="result", group_outputs=True, tool_mode=False),
    ]

    async def report(self) -> Message:
        """The progress, streamed where a page listens, then how it ended, with the curves of the run as a picture.

        Raises:
            SitetwinError: the request is wrong, or the job can't be started, or it failed.
        """
        only_for_the_owner(self)
        settings = settings_of(self)
        values = parse_assignments([line.strip() for line in self.values.splitlines() if line.strip()])
        request = RetrainingRequest(preset=self.preset, values=values, force=self.force)
        job, is_new = await asyncio.to_thread(start, settings, request)
        if not is_new:
            self.log("a retraining is under way already: this one is followed")

        async def texts() -> AsyncIterator[str]:
            nonlocal job
            shown = ""
            async for job in iterate(follow(settings)):
                if job.state == "running" and job.step != shown:
                    shown = job.step
                    yield f"{job.summary}\n\n"
                say(self, job.summary)
            yield in_markdown(job)

        message = await streamed(self, texts()) if self.wait else Message(text=job.summary)
        self._job = job
        if job.state == "failed":
            raise SitetwinError(job.summary)
        if job.run:
            await attach_picture(self, message, run_folder(settings, job.run) / CHART)
        return message

    async def result(self) -> DataFrame:
        """A table with a row for each comparison with the adapter before. Raises as `report`."""
        await self.resolve_output("report")
        return DataFrame(result(self._job))

    async def _get_tools(self) -> list[BaseTool]:
        # An agent gets its answer at once: clients give up on long work.
        self.wait = False
        tools: list[BaseTool] = await super()._get_tools()
        return tools
