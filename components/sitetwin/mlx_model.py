"""MLX Model."""

from lfx.base.models.model import LCModelComponent
from lfx.field_typing import LanguageModel
from lfx.io import FloatInput, IntInput

from components.chat_model import EngineChatModel
from pipeline.processes import engine
from pipeline.settings import load_settings


class MLXModelComponent(LCModelComponent):
    display_name = "MLX Model"
    description = "The model that sitetwin.toml names, on sitetwin's engine. It is started when it is not running."
    icon = "Cpu"
    name = "MLXModelComponent"

    inputs = [
        *LCModelComponent.get_base_inputs(),
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
    ]

    def build_model(self) -> LanguageModel:
        settings = load_settings()
        temperature = self.temperature
        return EngineChatModel(
            client=engine.connect(settings),
            max_tokens=self.max_tokens or settings.chat.max_tokens,
            temperature=settings.chat.temperature if temperature is None or temperature < 0 else temperature,
        )
