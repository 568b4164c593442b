"""Ollama Teacher."""

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
from pipeline.settings import Settings


class OllamaTeacherComponent(Component):
    """Langflow's node for a teacher on Ollama."""

    display_name = "Ollama Teacher"
    description = "Writes pairs of question and answer from chunks of your notes, with a model of Ollama."
    documentation = "/sitetwin/help#ollama-teacher"
    icon = "Ollama"
    name = "OllamaTeacherComponent"

    inputs = [
        chunks_input(),
        base_url_input(advanced=False),
        DropdownInput(
            name="model",
            display_name="Model",
            info="Refresh list fetches what Ollama has. A larger model writes better pairs, and slower.",
            options=[AS_IN_SETTINGS],
            value=AS_IN_SETTINGS,
            refresh_button=True,
        ),
        prompt_input(),
        pairs_per_chunk_input(),
        kinds_input(advanced=True),
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
            build_config["model"]["options"] = [AS_IN_SETTINGS, *found]
        return build_config

    async def write_pairs(self) -> DataFrame:
        """A table with one row per pair.

        Raises:
            ValueError: no model of Ollama is chosen, or the table has no chunks.
            SitetwinError: the teacher wrote no pair, or can't be reached.
        """
        return await write_pairs(self, self._settings(), self.chunks)

    def build_model(self) -> LanguageModel:
        """The model as LangChain's chat model.

        Raises:
            ValueError: no model of Ollama is chosen.
            ModelError: no Ollama answers, or it lacks the model.
        """
        if self._vertex and not self._vertex.outgoing_edges:
            return None  # Langflow builds all outputs of the last node, also those that are not connected
        settings = self._settings()
        self.status = settings.teacher.model
        return ollama_chat_model(settings, max_tokens=self.max_tokens, temperature=self.temperature)

    def _settings(self) -> Settings:
        model = "" if self.model in (None, "", AS_IN_SETTINGS) else f"{OLLAMA}{self.model}"
        settings = overridden(settings_of(self), self, model)
        if not settings.teacher.model.startswith(OLLAMA):
            raise ValueError(
                "Ollama Teacher has no model: click Refresh list below Model and choose one, or `ollama pull gemma3:4b` first"
            )
        return settings
