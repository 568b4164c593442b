"""Tools from the official `openai` client to a whole engine: the real template of Qwen 3, and one that knows no tools."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import openai
import pytest

from pipeline.servers.client import EngineClient
from pipeline.servers.tool_calls import ToolCall
from pipeline.weights import blas

blas.preload(1)

from pipeline.engine.asking import with_read_arguments  # noqa: E402
from pipeline.weights.chat_template import ChatTemplate  # noqa: E402
from tests.families import tokenizer  # noqa: E402
from tests.pipeline.engine.tiny_engines import TOKEN, loaded, serving  # noqa: E402
from tests.scripted_model import make_scripted_model  # noqa: E402

Connect = Callable[[str, Sequence[str]], openai.OpenAI]
ASKED: Any = [{"role": "user", "content": "What do my notes say of tea?"}]
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "search_notes",
        "description": "Finds notes.",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
    },
}
CALL = ("<tool_call>", '{"name": "search_notes", ', '"arguments": {"query": "tea"}}', "</tool_call>")
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    """Gives a client of an engine whose model says a script."""
    with ExitStack() as stack:

        def start(family: str, script: Sequence[str]) -> openai.OpenAI:
            make_scripted_model(tmp_path / "model", family, script)
            url = stack.enter_context(serving(stack.enter_context(loaded(tmp_path / "model"))))
            client = openai.OpenAI(base_url=f"{url}/v1", api_key=TOKEN, max_retries=0, timeout=60)
            return stack.enter_context(client)

        yield start


def test_a_call_comes_back_whole_and_streamed_and_its_result_is_read(connect: Connect) -> None:
    chats = connect("qwen3", ["Wait. ", *CALL]).chat.completions
    options: Any = {"model": "tiny", "messages": ASKED, "tools": [TOOL], "tool_choice": "auto", "temperature": 0}
    choice = chats.create(**options).choices[0]
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", "Wait. ")
    (call,) = choice.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("search_notes", {"query": "tea"})

    chunks = [chunk.choices[0] for chunk in chats.create(**options, stream=True)]
    (streamed,) = [delta for chunk in chunks for delta in chunk.delta.tool_calls or []]
    assert (streamed.index, streamed.function) == (0, streamed.function.model_copy(update=call.function.model_dump()))
    assert chunks[-1].finish_reason == "tool_calls"
    assert "".join(chunk.delta.content or "" for chunk in chunks) == "Wait. "

    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "Tea is brewed at 70 degrees."}
    asked = [*ASKED, choice.message.model_dump(exclude_none=True), result]
    after = chats.create(**{**options, "messages": asked})
    assert after.usage.prompt_tokens > chats.create(**options).usage.prompt_tokens + len(result["content"])


def test_our_own_client_reads_the_call_and_hands_the_result_on(connect: Connect) -> None:
    server = connect("qwen3", ["Wait. ", *CALL])
    client = EngineClient(str(server.base_url), "tiny", api_key=TOKEN, is_ours=True)

    def call(messages: list[dict[str, Any]]) -> ToolCall:
        pieces = client.generate_with_tools(messages, [TOOL])
        assert next(pieces) == "Wait. "
        with pytest.raises(StopIteration) as end:
            next(pieces)
        (found,) = end.value.value.calls
        return found

    first = call(ASKED)
    assert (first.name, json.loads(first.arguments)) == ("search_notes", {"query": "tea"})
    function = {"name": first.name, "arguments": first.arguments}
    asked = {
        "role": "assistant",
        "content": "Wait. ",
        "tool_calls": [{"id": first.id, "type": "function", "function": function}],
    }
    told = {"role": "tool", "tool_call_id": first.id, "content": "Tea is brewed at 70 degrees."}
    assert call([*ASKED, asked, told]).name == first.name


def test_the_model_reads_which_tools_there_are(connect: Connect) -> None:
    chats = connect("qwen3", ["No."]).chat.completions
    without, offered, declined = (
        chats.create(model="tiny", messages=ASKED, **how).usage.prompt_tokens
        for how in ({}, {"tools": [TOOL]}, {"tools": [TOOL], "tool_choice": "none"})
    )
    assert offered > without + len(json.dumps(TOOL)) / 2
    assert declined == without


def test_a_call_that_can_not_be_read_is_text(connect: Connect) -> None:
    chats = connect("qwen3", ["<tool_call>", "5", "</tool_call>"]).chat.completions
    choice = chats.create(model="tiny", messages=ASKED, tools=[TOOL], temperature=0).choices[0]
    assert (choice.finish_reason, choice.message.content, choice.message.tool_calls) == ("stop", "5", None)


@pytest.mark.parametrize("stream", [False, True])
def test_a_template_without_tools_refuses_them_in_words(connect: Connect, stream: bool) -> None:
    chats = connect("qwen2", ["No."]).chat.completions
    with pytest.raises(openai.BadRequestError, match="the model 'tiny' has no way to call tools: ask without them"):
        chats.create(model="tiny", messages=ASKED, tools=[TOOL], stream=stream)
    assert chats.create(model="tiny", messages=ASKED, temperature=0).choices[0].message.content == "No."


def test_the_template_reads_a_call_s_arguments_as_they_were_written() -> None:
    def message(arguments: str) -> dict[str, Any]:
        call = {"id": "c", "type": "function", "function": {"name": "search_notes", "arguments": arguments}}
        return {"role": "assistant", "content": "", "tool_calls": [call]}

    read = with_read_arguments(message('{"query": "tea"}'))
    assert read["tool_calls"][0]["function"]["arguments"] == {"query": "tea"}
    template = ChatTemplate(tokenizer("qwen3"))
    told = template.text([*ASKED, read, {"role": "tool", "content": "Three minutes."}], opened=True)
    assert '"arguments": {"query": "tea"}' in told
    # What is no JSON stays as it is.
    assert with_read_arguments(message("tea"))["tool_calls"][0]["function"]["arguments"] == "tea"
    assert with_read_arguments({"role": "user", "content": "tea"}) == {"role": "user", "content": "tea"}
