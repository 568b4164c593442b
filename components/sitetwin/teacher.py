"""Teacher."""

from typing import Any

from lfx.custom.custom_component.component import Component
from lfx.field_typing import LanguageModel
from lfx.io import DropdownInput, Output
from lfx.schema.dataframe import DataFrame

from components.configuration import configuration_input, settings_of
from components.teaching import (
    AS_IN_SETTINGS,
    OLLAMA,
    base_url_input,
    chunks_input,
    kinds_input,
    model_inputs,
    ollama_chat_model,
    ollama_models,
    overridden,
    pairs_per_chunk_input,
    prompt_input,
    write_pairs,
)
from pipeline.dataset.teachers import EXTRACTIVE
from pipeline.settings import Settings


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
        chunks_input(),
        DropdownInput(
            name="model",
            display_name="Model",
            info="extractive asks no model. Refresh list fetches what Ollama has.",
            options=[AS_IN_SETTINGS, EXTRACTIVE],
            value=AS_IN_SETTINGS,
            refresh_button=True,
        ),
        base_url_input(advanced=True),
        prompt_input(" The extractive teacher reads none."),
        kinds_input(advanced=False),
        pairs_per_chunk_input(),
        *model_inputs(),
        configuration_input(),
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
            found = await ollama_models(settings_of(build_config), build_config["base_url"]["value"])
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
        return overridden(settings_of(self), self, self.model)
