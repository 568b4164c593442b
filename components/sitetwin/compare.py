"""Compare."""

from collections.abc import AsyncIterator
from typing import Any

from lfx.custom.custom_component.component import Component
from lfx.io import Output
from lfx.schema.dataframe import DataFrame
from lfx.schema.message import Message

from components.audience import only_for_the_owner, readable
from components.comparison import Compared, as_rows, in_markdown
from components.configuration import configuration_input, settings_of
from components.inputs import PUBLIC_ANSWERS, question_input, question_of, visibility_input
from components.streaming import streamed
from components.systems import systems_input, with_all_systems
from components.threads import iterate
from pipeline.evaluation.systems import OpenSystem, chosen_systems
from pipeline.evaluation.systems.compare import Answered, Failed, Waits, compare


class CompareComponent(Component):
    """Langflow's node that asks several systems one question."""

    display_name = "Compare"
    description = "Asks several systems one question, and shows their answers side by side. For you alone."
    documentation = "/sitetwin/help#compare"
    icon = "Columns3"
    name = "CompareComponent"

    inputs = [
        question_input("What all of them are asked: connect Chat Input.", tool_mode=True),
        systems_input(),
        visibility_input(PUBLIC_ANSWERS),
        configuration_input(),
    ]
    outputs = [
        Output(name="answers", display_name="Answers", method="answers", group_outputs=True),
        Output(name="table", display_name="Table", method="table", group_outputs=True, tool_mode=False),
    ]

    def update_build_config(
        self, build_config: dict[str, Any], field_value: object, field_name: str | None = None
    ) -> dict[str, Any]:
        """The node's fields with all systems as options, after a choice under Systems."""
        return with_all_systems(build_config, field_name)

    async def answers(self) -> Message:
        """All answers in Markdown, each as soon as it is whole, and a table of what they took.

        Raises:
            ValueError: the node got no question.
            SettingsError: there is no such system.
        """
        only_for_the_owner(self)
        settings = settings_of(self)
        question = question_of(self)
        chosen = chosen_systems(settings, self.systems, is_owner=True)
        visibility = readable(self)
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
