"""The engine as a LangChain chat model, so that any Langflow node can use it."""

from collections.abc import Generator, Iterator, Sequence
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

from components.rounds import SEARCH, answer_now, rounds_of, search_for, unasked
from pipeline.servers.client import EngineClient
from pipeline.servers.tool_calls import ToolCall

MOST_ROUNDS = 4
"""So often an agent gets results for one question. Then it answers from them."""


class EngineChatModel(BaseChatModel):
    """A chat model of LangChain that asks the server of `client`."""

    client: EngineClient
    max_tokens: int
    temperature: float
    adapter: str | None = None
    """Name of the adapter with which the model answers; None: no adapter."""
    searches_first: bool = False
    """Whether an agent's question is searched for where the model would answer it without having called a tool."""

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
        rounds = rounds_of(messages) if tools else []
        calls: Sequence[ToolCall] = ()
        if not rounds and self.searches_first and SEARCH in {tool["function"]["name"] for tool in tools}:
            calls = _calls(self._texts(_openai(messages), tools, how, None))
            yield ChatGenerationChunk(message=_calling(calls or [search_for(messages)]))
            return
        if len(rounds) < MOST_ROUNDS:
            calls = yield from self._texts(_openai(messages), tools, how, run_manager)
            if fresh := unasked(calls, rounds):
                yield ChatGenerationChunk(message=_calling(fresh))
                return
        if calls or len(rounds) >= MOST_ROUNDS:
            # A small model repeats its call instead of reading the result, and would repeat it here if it saw it.
            yield from self._texts(answer_now(messages), (), how, run_manager)

    def _texts(
        self,
        messages: list[dict[str, Any]],
        tools: Sequence[dict[str, Any]],
        how: dict[str, Any],
        run_manager: CallbackManagerForLLMRun | None,
    ) -> Generator[ChatGenerationChunk, None, Sequence[ToolCall]]:
        """Yields the text of a reply; returns the calls in it."""
        pieces = self.client.generate_with_tools(messages, tools, **how)
        with closing(pieces):
            while True:
                try:
                    chunk = AIMessageChunk(content=next(pieces))
                except StopIteration as end:
                    return tuple(end.value.calls)
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


def _calls(texts: Generator[ChatGenerationChunk, None, Sequence[ToolCall]]) -> Sequence[ToolCall]:
    """The calls of a reply whose text is not shown."""
    while True:
        try:
            next(texts)
        except StopIteration as end:
            found: Sequence[ToolCall] = end.value
            return found


def _calling(calls: Sequence[ToolCall]) -> AIMessageChunk:
    return AIMessageChunk(
        content="",
        tool_call_chunks=[
            tool_call_chunk(name=call.name, args=call.arguments, id=call.id, index=number)
            for number, call in enumerate(calls)
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
