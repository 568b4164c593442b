"""Evaluate."""

from pathlib import Path
from typing import Any

from lfx.custom.custom_component.component import Component
from lfx.io import DropdownInput, HandleInput, IntInput, MultiselectInput, Output, StrInput
from lfx.schema.dataframe import DataFrame
from lfx.schema.message import Message

from components.audience import PUBLIC, VISIBILITIES, only_for_the_owner, opens_private
from components.progress import in_thread, say
from pipeline.adapters import adapters
from pipeline.dataset.teachers import named_model
from pipeline.evaluation import golden
from pipeline.evaluation.systems import default_systems, find_system, system_names
from pipeline.jobs.evaluating.record import Evaluation
from pipeline.jobs.evaluating.report.markdown import markdown
from pipeline.jobs.evaluating.report.table import figures
from pipeline.jobs.evaluating.report.writing import write_report
from pipeline.jobs.evaluating.run import evaluate, questions_file, sample
from pipeline.progress import ProgressReport
from pipeline.settings import Visibility, load_settings


class EvaluateComponent(Component):
    """Langflow's node that compares systems on questions with known answers."""

    display_name = "Evaluate"
    description = "Asks several systems the same questions and tells which answers better. For you alone."
    documentation = "/sitetwin/help#evaluate"
    icon = "Scale"
    name = "EvaluateComponent"

    inputs = [
        HandleInput(
            name="after",
            display_name="After",
            info="Optional: what must be done before, such as Chat Input or Adapter Training.",
            input_types=["Message", "Table", "JSON", "DataFrame", "Data"],
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
        DropdownInput(
            name="visibility",
            display_name="Visibility",
            info="public: answer as visitors are answered.",
            options=VISIBILITIES,
            value=PUBLIC,
            advanced=True,
        ),
        StrInput(
            name="judge",
            display_name="Judge",
            info="A model that judges beside the facts: engine, ollama:NAME or openai:NAME at teacher.url; empty: none.",
            advanced=True,
        ),
    ]
    outputs = [
        Output(name="figures", display_name="Figures", method="figures", group_outputs=True),
        Output(name="report", display_name="Report", method="report", group_outputs=True),
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

    async def figures(self) -> DataFrame:
        """A table with a row for each measure and a column for each system.

        Raises:
            SitetwinError: there are no questions, no index, or a system can't answer.
        """
        only_for_the_owner(self)
        settings = load_settings()
        chosen = [find_system(settings, name) for name in self.systems] or default_systems(settings)
        named = str(self.questions or "").strip()
        file = questions_file(settings, settings.root / Path(named).expanduser() if named else None)
        asked = sample(golden.load(file), self.limit or None)
        judge = named_model(settings, self.judge.strip(), "Judge") if self.judge.strip() else None
        visibility: Visibility | None = None if opens_private(self) else "public"
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
