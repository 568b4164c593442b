"""The engine as a LangChain chat model, so that any Langflow node can use it."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, convert_to_openai_messages
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool

from pipeline.servers.client import Ending, EngineClient


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

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """This model with tools that it may call, for an agent.

        Args:
            tools: anything that LangChain knows as a tool.
            tool_choice: None or "auto"; the model itself chooses.

        Raises:
            TypeError: another choice.
        """
        if tool_choice not in (None, "auto"):
            raise TypeError(f"{self.model_name} chooses its tools itself: leave tool_choice {tool_choice!r} out")
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        tools: Sequence[dict[str, Any]] = (),
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        how: dict[str, Any] = {"max_tokens": self.max_tokens, "temperature": self.temperature, "stop": stop}
        pieces = self.client.generate_with_tools(_openai(messages), tools, **how)
        with closing(pieces):
            while True:
                try:
                    chunk = AIMessageChunk(content=next(pieces))
                except StopIteration as end:
                    if end.value.calls:
                        yield ChatGenerationChunk(message=_calling(end.value))
                    return
                if run_manager:
                    run_manager.on_llm_new_token(str(chunk.content))
                yield ChatGenerationChunk(message=chunk)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))


def _calling(ending: Ending) -> AIMessageChunk:
    return AIMessageChunk(
        content="",
        tool_call_chunks=[
            tool_call_chunk(name=call.name, args=call.arguments, id=call.id, index=number)
            for number, call in enumerate(ending.calls)
        ],
    )


def _openai(messages: list[BaseMessage]) -> list[dict[str, Any]]:
    """The messages in OpenAI's protocol: texts, calls of tools and their results. The engine takes no pictures."""
    converted = convert_to_openai_messages(messages, text_format="string")
    kept = ("role", "tool_calls", "tool_call_id")
    return [
        {**{key: message[key] for key in kept if message.get(key)}, "content": message["content"] or ""}
        for message in converted
    ]
