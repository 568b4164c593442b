"""Evaluate."""

from pathlib import Path
from typing import Any

from lfx.custom.custom_component.component import Component
from lfx.io import IntInput, Output, StrInput
from lfx.schema.dataframe import DataFrame
from lfx.schema.message import Message

from components.audience import only_for_the_owner, readable
from components.configuration import configuration_input, settings_of
from components.inputs import PUBLIC_ANSWERS, after_input, visibility_input
from components.progress import in_thread, say
from components.systems import systems_input, with_all_systems
from pipeline.dataset.teachers import named_model
from pipeline.evaluation import golden
from pipeline.evaluation.systems import chosen_systems
from pipeline.jobs.evaluating.record import Evaluation
from pipeline.jobs.evaluating.report.markdown import markdown
from pipeline.jobs.evaluating.report.table import figures
from pipeline.jobs.evaluating.report.writing import write_report
from pipeline.jobs.evaluating.run import evaluate, questions_file, sample
from pipeline.progress import ProgressReport


class EvaluateComponent(Component):
    """Langflow's node that compares systems on questions with known answers."""

    display_name = "Evaluate"
    description = "Asks several systems the same questions and tells which answers better. For you alone."
    documentation = "/sitetwin/help#evaluate"
    icon = "Scale"
    name = "EvaluateComponent"

    inputs = [
        after_input("Adapter Training"),
        systems_input(),
        StrInput(
            name="questions",
            display_name="Golden Questions",
            info="A file of questions with their answers, relative to sitetwin.toml; empty: evaluation.questions. "
            "`sitetwin golden draft` makes one.",
        ),
        IntInput(
            name="limit",
            display_name="Questions",
            info="At most so many, the same each time; 0: all. What was answered is kept and not asked again.",
            value=10,
        ),
        visibility_input(PUBLIC_ANSWERS),
        StrInput(
            name="judge",
            display_name="Judge",
            info="A model that judges beside the facts: engine, ollama:NAME or openai:NAME at teacher.url; empty: none.",
            advanced=True,
        ),
        configuration_input(),
    ]
    outputs = [
        Output(name="figures", display_name="Figures", method="figures", group_outputs=True),
        Output(name="report", display_name="Report", method="report", group_outputs=True),
    ]

    def update_build_config(
        self, build_config: dict[str, Any], field_value: object, field_name: str | None = None
    ) -> dict[str, Any]:
        """The node's fields with all systems as options, after a choice under Systems."""
        return with_all_systems(build_config, field_name)

    async def figures(self) -> DataFrame:
        """A table with a row for each measure and a column for each system.

        Raises:
            SitetwinError: there are no questions, no index, or a system can't answer.
        """
        only_for_the_owner(self)
        settings = settings_of(self)
        chosen = chosen_systems(settings, self.systems, is_owner=True)
        named = str(self.questions or "").strip()
        file = questions_file(settings, settings.root / Path(named).expanduser() if named else None)
        asked = sample(golden.load(file), self.limit or None)
        judge = named_model(settings, self.judge.strip(), "Judge") if self.judge.strip() else None
        visibility = readable(self)
        self.log(f"{len(asked)} questions of {file.name} for {', '.join(one.name for one in chosen)}")

        def work(report: ProgressReport, is_stopped: Any) -> Evaluation:
            return evaluate(
                settings,
                chosen,
                asked,
                file=file.name,
                visibility=visibility,
                progress=report,
                cancelled=is_stopped,
                judge_model=judge,
            )

        self._made = await in_thread(self, work)
        say(self, f"report: {write_report(settings, self._made)}")
        return DataFrame(figures(self._made))

    async def report(self) -> Message:
        """The whole report in Markdown. Raises as `figures`."""
        await self.resolve_output("figures")
        return Message(text=markdown(self._made))
