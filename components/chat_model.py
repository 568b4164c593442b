"""The engine as a LangChain chat model, so that any Langflow node can use it."""

from collections.abc import Iterator
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage, convert_to_openai_messages
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from pipeline.servers.client import EngineClient


class EngineChatModel(BaseChatModel):
    """A chat model of LangChain that asks the server of `client`."""

    client: EngineClient
    max_tokens: int
    temperature: float
    adapter: str | None = None
    """Name of the adapter with which the model answers; None: no adapter."""

    @property
    def _llm_type(self) -> str:
        return "sitetwin-engine"

    @property
    def model_name(self) -> str:
        """The server's name for the model."""
        return self.client.model

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for text in self.client.generate(
            _plain(messages), max_tokens=self.max_tokens, temperature=self.temperature, stop=stop
        ):
            if run_manager:
                run_manager.on_llm_new_token(text)
            yield ChatGenerationChunk(message=AIMessageChunk(content=text))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))


def _plain(messages: list[BaseMessage]) -> list[dict[str, str]]:
    """The messages' roles and texts. The engine takes no pictures and no tool calls."""
    converted = convert_to_openai_messages(messages, text_format="string")
    return [{"role": message["role"], "content": message["content"] or ""} for message in converted]
