"""Compare."""

from collections.abc import AsyncIterator
from typing import Any

from lfx.custom.custom_component.component import Component
from lfx.io import DropdownInput, MessageTextInput, MultiselectInput, Output
from lfx.schema.dataframe import DataFrame
from lfx.schema.message import Message

from components.audience import PUBLIC, VISIBILITIES, only_for_the_owner, opens_private
from components.comparison import Compared, as_rows, in_markdown
from components.streaming import streamed
from components.threads import iterate
from pipeline.adapters import adapters
from pipeline.evaluation.systems import OpenSystem, default_systems, find_system, system_names
from pipeline.evaluation.systems.compare import Answered, Failed, Waits, compare
from pipeline.settings import Visibility, load_settings


class CompareComponent(Component):
    """Langflow's node that asks several systems one question."""

    display_name = "Compare"
    description = "Asks several systems one question, and shows their answers side by side. For you alone."
    documentation = "/sitetwin/help#compare"
    icon = "Columns3"
    name = "CompareComponent"

    inputs = [
        MessageTextInput(
            name="question",
            display_name="Question",
            info="What all of them are asked: connect Chat Input.",
            required=True,
            tool_mode=True,
        ),
        MultiselectInput(
            name="systems",
            display_name="Systems",
            info="None chosen: those that this site has. Choose one, and the list also shows your own and the adapters.",
            options=["base", "persona", "rag", "rag+persona", "lora", "hybrid"],
            value=[],
            # The editor has no refresh button for a list of several.
            real_time_refresh=True,
        ),
        DropdownInput(
            name="visibility",
            display_name="Visibility",
            info="public: answer as visitors are answered.",
            options=VISIBILITIES,
            value=PUBLIC,
            advanced=True,
        ),
    ]
    outputs = [
        Output(name="answers", display_name="Answers", method="answers", group_outputs=True),
        Output(name="table", display_name="Table", method="table", group_outputs=True, tool_mode=False),
    ]

    def update_build_config(
        self, build_config: dict[str, Any], field_value: object, field_name: str | None = None
    ) -> dict[str, Any]:
        """The node's fields with all systems as options, after a choice under Systems."""
        if field_name == "systems":
            settings = load_settings()
            runs = [f"{mode}:{one.name}" for mode in ("lora", "hybrid") for one in adapters(settings)]
            build_config["systems"]["options"] = [*system_names(settings), *runs]
        return build_config

    async def answers(self) -> Message:
        """All answers in Markdown, each as soon as it is whole, and a table of what they took.

        Raises:
            ValueError: the node got no question.
            SettingsError: there is no such system.
        """
        only_for_the_owner(self)
        settings = load_settings()
        question = str(self.question or "").strip()
        if not question:
            raise ValueError("Compare got no question: connect Chat Input to its Question")
        chosen = [find_system(settings, name) for name in self.systems] or default_systems(settings)
        visibility: Visibility | None = None if opens_private(self) else "public"
        self._compared: list[Compared] = []

        async def texts() -> AsyncIterator[str]:
            async for name, event in iterate(
                compare([OpenSystem(settings, one, visibility) for one in chosen], question)
            ):
                if isinstance(event, Waits):
                    self.log(f"{name} waits: {event.text}")
                elif isinstance(event, Answered | Failed):
                    self._compared.append(Compared(name, event))
                    self.log(f"{name}: {'failed' if isinstance(event, Failed) else 'answered'}")
                    yield in_markdown(self._compared[-1])

        return await streamed(self, texts())

    async def table(self) -> DataFrame:
        """A table with a row for each system. Raises as `answers`."""
        await self.resolve_output("answers")
        table = DataFrame(as_rows(self._compared))
        self.status = table
        return table
