"""Adapts any LangChain model to the function that `pipeline.chat` calls."""

from collections.abc import Iterator
from typing import Any

from langchain_core.language_models import BaseLanguageModel
from langchain_core.messages import BaseMessage

from pipeline.chat import Generate


def generate_with(model: BaseLanguageModel[Any]) -> Generate:
    """A function that takes messages and yields the pieces of the model's answer.

    The function raises ValueError if no model is connected. An answer that needs no model's text never calls it.
    """

    def generate(messages: list[dict[str, str]]) -> Iterator[str]:
        if not hasattr(model, "stream"):  # Langflow hands over None or "" for a missing edge
            raise ValueError("Cited Answer got no model: connect MLX Model, or any Language Model output, to its Model")
        for chunk in model.stream(messages):
            # A plain completion model streams strings.
            text = str(chunk.text) if isinstance(chunk, BaseMessage) else str(chunk)
            if text:
                yield text

    return generate


def model_name(model: object) -> str:
    """The vendor's name for the model, or else its class name. LangChain's classes use different attributes."""
    names = (getattr(model, attribute, None) for attribute in ("model_name", "model", "model_id"))
    return next((name for name in names if isinstance(name, str) and name), type(model).__name__)
