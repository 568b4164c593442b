"""Cited Answer."""

from collections.abc import Iterator

from lfx.custom.custom_component.component import Component
from lfx.io import HandleInput, MultilineInput, Output
from lfx.schema.message import Message

from components.answering import cited
from components.chat_model import EngineChatModel
from components.configuration import configuration_input, settings_of
from components.conversation import history
from components.generation import generate_with, model_name
from components.inputs import (
    asked_input,
    passages_input,
    persona_input,
    persona_of,
    question_of,
    turns_input,
    turns_of,
)
from components.passages import from_input, is_connected, retrieve_ms
from pipeline.chat import Answer, understand
from pipeline.settings import Mode, Settings
from pipeline.site import Site

MODES: dict[tuple[bool, bool], Mode] = {
    (False, False): "base",
    (True, False): "rag",
    (False, True): "lora",
    (True, True): "hybrid",
}
"""The mode by whether passages are connected, and whether the model has an adapter."""


class CitedAnswerComponent(Component):
    """Langflow's node that answers from passages and names its sources."""

    display_name = "Cited Answer"
    description = "Answers from the passages and names its sources, or says that the notes don't hold it."
    documentation = "/sitetwin/help#cited-answer"
    icon = "MessageSquareQuote"
    name = "CitedAnswerComponent"

    inputs = [
        asked_input(),
        passages_input(
            "From the Notes Retriever, or from any retriever whose records have a text. Without it the model answers alone, "
            "and an adapter from what it has learnt."
        ),
        HandleInput(
            name="model",
            display_name="Model",
            info="The MLX Model, or the Language Model output of any vendor's model.",
            input_types=["LanguageModel"],
            required=True,
        ),
        persona_input(),
        MultilineInput(
            name="rule",
            display_name="Rule",
            info="What the model is told below the passages; empty: sitetwin's own words. Without passages, and where the "
            "answer is a quotation, it is left out.",
            value="",
        ),
        turns_input(),
        configuration_input(),
    ]
    outputs = [Output(name="answer", display_name="Answer", method="answer")]

    async def answer(self) -> Message:
        """The answer as a message, streamed where a page listens. Its metadata holds the Answer.

        Raises:
            ValueError: the node got no question.
            SitetwinError: there is no answer.
        """
        settings = settings_of(self)
        return await cited(self, await self._respond(settings), settings.gateway)

    async def _respond(self, settings: Settings) -> Iterator[str | Answer]:
        question, turns = question_of(self), turns_of(self, settings)
        settings = settings.model_copy(update={"persona": persona_of(self, settings)})
        # With a retriever that found nothing the answer is a refusal. Without a retriever the model answers alone.
        grounded = is_connected(self.passages)
        adapter = self.model.adapter if isinstance(self.model, EngineChatModel) else None
        passages = from_input(self.passages) if grounded else []
        earlier = await history(self, turns)
        # The retriever's passages tell which subject it searched for.
        asked = understand(question, earlier, turns, (lambda subject: passages) if grounded else None)
        return Site(settings).assistant.respond(
            asked,
            passages,
            mode=MODES[grounded, adapter is not None],
            generate=generate_with(self.model),
            model=model_name(self.model),
            adapter=adapter,
            quotes_first=self._quotes_first(settings),
            retrieve_ms=retrieve_ms(self.passages),
            rule=self.rule.strip(),
        )

    def _quotes_first(self, settings: Settings) -> bool:
        """Whether quotations come first: `chat.quote_first` if it is set, else as the settings say for their own model only."""
        if settings.chat.quote_first is not None:
            return settings.chat.quote_first
        return settings.quotes_first and isinstance(self.model, EngineChatModel)
