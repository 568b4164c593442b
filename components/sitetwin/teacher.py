"""Teacher."""

from typing import Any, get_args

from lfx.custom.custom_component.component import Component
from lfx.field_typing import LanguageModel
from lfx.io import (
    DataFrameInput,
    DropdownInput,
    FloatInput,
    IntInput,
    MultilineInput,
    MultiselectInput,
    Output,
    StrInput,
)
from lfx.schema.dataframe import DataFrame

from components.teaching import (
    AS_IN_SETTINGS,
    OLLAMA,
    ollama_chat_model,
    ollama_models,
    overridden,
    write_pairs,
)
from pipeline.dataset.teachers import EXTRACTIVE
from pipeline.dataset.teachers.prompts import TEACHER
from pipeline.settings import PairKind, Settings, load_settings


class TeacherComponent(Component):
    """Langflow's node that writes pairs from chunks."""

    display_name = "Teacher"
    description = (
        "Writes pairs of question and answer from chunks of your notes, with a model of Ollama or without any."
    )
    documentation = "/sitetwin/help#teacher"
    icon = "GraduationCap"
    name = "TeacherComponent"

    inputs = [
        DataFrameInput(
            name="chunks",
            display_name="Chunks",
            info="From Notes to Chunks, or any table with a column `text`. The Language Model output needs none.",
        ),
        DropdownInput(
            name="model",
            display_name="Model",
            info="extractive asks no model. Refresh list fetches what Ollama has.",
            options=[AS_IN_SETTINGS, EXTRACTIVE],
            value=AS_IN_SETTINGS,
            refresh_button=True,
        ),
        StrInput(
            name="base_url",
            display_name="Base URL",
            info="Of Ollama; empty: as in sitetwin.toml, OLLAMA_HOST, or http://127.0.0.1:11434.",
            advanced=True,
        ),
        MultilineInput(
            name="prompt",
            display_name="Prompt",
            info="Who the teacher is and what rules it keeps; empty: as in sitetwin.toml. Keep a good one there, as "
            "teacher.prompt. The extractive teacher reads none.",
            value=TEACHER,
        ),
        MultiselectInput(
            name="kinds",
            display_name="Kinds",
            info="Of pairs; none chosen: as in sitetwin.toml.",
            options=list(get_args(PairKind)),
            value=[],
        ),
        IntInput(
            name="pairs_per_chunk",
            display_name="Pairs per Chunk",
            info="0: as in sitetwin.toml. Questions over several chunks and unanswerable ones come on top.",
            value=3,
        ),
        FloatInput(
            name="temperature",
            display_name="Temperature",
            info="Of the Language Model output only: pairs are asked for at a fixed one.",
            value=0.0,
            advanced=True,
        ),
        IntInput(
            name="max_tokens",
            display_name="Max Tokens",
            info="Of the Language Model output only: its longest answer.",
            value=1000,
            advanced=True,
        ),
    ]
    outputs = [
        Output(name="pairs", display_name="Pairs", method="write_pairs", group_outputs=True),
        Output(name="model_output", display_name="Language Model", method="build_model", group_outputs=True),
    ]

    async def update_build_config(
        self, build_config: dict[str, Any], field_value: object, field_name: str | None = None
    ) -> dict[str, Any]:
        """The node's fields with the server's models as options, after a click on Refresh list under Model.

        Raises:
            ModelError: no Ollama answers there.
        """
        if field_name == "model":
            found = await ollama_models(load_settings(), build_config["base_url"]["value"])
            build_config["model"]["options"] = [
                AS_IN_SETTINGS,
                EXTRACTIVE,
                *(f"{OLLAMA}{name}" for name in found),
            ]
        return build_config

    async def write_pairs(self) -> DataFrame:
        """A table with one row per pair. Raises as `write_pairs` of `components.teaching`."""
        return await write_pairs(self, self._settings(), self.chunks)

    def build_model(self) -> LanguageModel:
        """The chosen Ollama model as LangChain's chat model.

        Raises:
            ValueError: the chosen teacher is not a model of Ollama.
            ModelError: no Ollama answers, or it lacks the model.
        """
        settings = self._settings()
        if not settings.teacher.model.startswith(OLLAMA):
            if self._vertex and not self._vertex.outgoing_edges:
                return None  # Langflow builds all outputs of the last node, also those that are not connected
            raise ValueError(
                f"{settings.teacher.model} is not a model of Ollama: choose one under Model, or use the node MLX Model"
            )
        self.status = settings.teacher.model
        return ollama_chat_model(settings, max_tokens=self.max_tokens, temperature=self.temperature)

    def _settings(self) -> Settings:
        return overridden(
            load_settings(),
            model=self.model,
            base_url=self.base_url,
            prompt=self.prompt,
            kinds=self.kinds,
            pairs_per_chunk=self.pairs_per_chunk,
        )
