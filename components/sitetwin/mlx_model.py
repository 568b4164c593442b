"""MLX Model."""

from typing import Any

from lfx.base.models.model import LCModelComponent
from lfx.field_typing import LanguageModel
from lfx.io import BoolInput, DropdownInput, FloatInput, IntInput

from components.audience import readable
from components.chat_model import EngineChatModel
from components.configuration import configuration_input, settings_of
from components.inputs import visibility_input
from pipeline.adapters import adapters, answering_adapter
from pipeline.site import Site

BASE = "base"
PROMOTED = "promoted"


class MLXModelComponent(LCModelComponent):
    """Langflow's node for the settings' chat model, with or without an adapter."""

    display_name = "MLX Model"
    description = (
        "The model that sitetwin.toml names, on sitetwin's engine, as it is or with an adapter that was trained on your "
        "writing. It is started when it is not running."
    )
    documentation = "/sitetwin/help#mlx-model"
    icon = "Cpu"
    name = "MLXModelComponent"

    inputs = [
        *LCModelComponent.get_base_inputs(),
        DropdownInput(
            name="adapter",
            display_name="Adapter",
            info="base: none; promoted: whichever `sitetwin promote` put to use. Refresh list fetches the trained ones.",
            options=[BASE, PROMOTED],
            value=BASE,
            refresh_button=True,
        ),
        IntInput(
            name="max_tokens",
            display_name="Max Tokens",
            info="The longest answer, in tokens; 0: as in sitetwin.toml.",
            value=0,
        ),
        FloatInput(
            name="temperature",
            display_name="Temperature",
            info="0 always picks the likeliest word; -1: as in sitetwin.toml.",
            value=-1.0,
        ),
        visibility_input(
            "Leave it at public in every flow that a visitor can reach: an adapter can tell what it was trained on."
        ),
        BoolInput(
            name="searches_first",
            display_name="Search First",
            info="For an Agent with Notes Retriever: a question that the model would answer without having called a tool is "
            "searched for first. Small models need it.",
            value=False,
            advanced=True,
        ),
        configuration_input(),
    ]

    def update_build_config(
        self, build_config: dict[str, Any], field_value: object, field_name: str | None = None
    ) -> dict[str, Any]:
        """The node's fields with the trained adapters as options, after a click on Refresh list under Adapter."""
        if field_name == "adapter":
            build_config["adapter"]["options"] = [
                BASE,
                PROMOTED,
                *(one.name for one in adapters(settings_of(build_config))),
            ]
        return build_config

    def build_model(self) -> LanguageModel:
        """The model as LangChain's chat model.

        Raises:
            ValueError: private adapters would answer a visitor.
            ModelError: there is no such adapter, or it is private.
            ServiceError: the engine can't be started.
        """
        settings = settings_of(self)
        temperature = self.temperature
        adapter = None
        if self.adapter and self.adapter != BASE:
            name = None if self.adapter == PROMOTED else self.adapter
            adapter = answering_adapter(settings, name, readable(self)).name
        return EngineChatModel(
            client=Site(settings).engine(adapter),
            max_tokens=self.max_tokens or settings.chat.max_tokens,
            temperature=settings.chat.temperature if temperature is None or temperature < 0 else temperature,
            adapter=adapter,
            searches_first=self.searches_first,
        )
