"""Calls of tools, as servers send them and as they come from a client."""

import json
from collections.abc import Generator
from typing import Any

import pytest

from pipeline.errors import ModelError
from pipeline.servers.client import Ending, EngineClient
from pipeline.servers.ollama_client import OllamaClient
from pipeline.servers.tool_calls import CallReader, ToolCall
from tests.answering_server import Answer, Server, streamed

TOOL = {"type": "function", "function": {"name": "search", "parameters": {"type": "object", "properties": {}}}}
CALL = ToolCall("c1", "search", '{"question": "tea"}')
ASKED: list[dict[str, Any]] = [{"role": "user", "content": "How long does tea draw?"}]
WITH_RESULT = [
    *ASKED,
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"question": "tea"}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "Three minutes."},
]


def part(index: int | None = None, id: str | None = None, name: str | None = None, arguments: Any = None) -> Any:
    return {"index": index, "id": id, "function": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize(
    ("deltas", "calls"),
    [
        ([], ()),
        ([None, "odd", [], [{}], [3]], ()),
        ([[part(0, "c1", "search", '{"question": '), None], [part(0, arguments='"tea"}')]], (CALL,)),
        ([[part(None, "c1", "search", {"question": "tea"})]], (CALL,)),
        (
            [[part(1, "c2", "ask", ""), part(0, "c1", "search", '{"question": "tea"}')]],
            (CALL, ToolCall("c2", "ask", "{}")),
        ),
        ([[part(None, None, "ask")], [part(None, None, "ask")]], (ToolCall("call_0", "ask", "{}"), ToolCall("call_1", "ask", "{}"))),
        ([[part(0, "c1", None, "{}")]], ()),
    ],
)  # fmt: skip
def test_calls_are_put_together(deltas: list[Any], calls: tuple[ToolCall, ...]) -> None:
    reader = CallReader()
    for delta in deltas:
        reader.feed(delta)
    assert reader.calls() == calls


def said(pieces: Generator[str, None, Ending]) -> tuple[str, Ending]:
    texts = []
    while True:
        try:
            texts.append(next(pieces))
        except StopIteration as end:
            return "".join(texts), end.value


def test_a_call_is_asked_for_and_its_result_goes_back(server: Server) -> None:
    call = {"index": 0, "id": "c1", "function": {"name": "search", "arguments": '{"question": "tea"}'}}
    server.answers = [
        streamed({"content": "Let me look."}, {"tool_calls": [call]}),
        streamed({"content": "Three minutes."}),
    ]
    client = EngineClient(server.url, "m", is_ours=True)
    assert said(client.generate_with_tools(ASKED, [TOOL])) == ("Let me look.", Ending(False, (CALL,)))
    assert said(client.generate_with_tools(WITH_RESULT, [TOOL])) == ("Three minutes.", Ending(False))
    assert [body["tools"] for _, _, body in server.asked] == [[TOOL], [TOOL]]
    assert server.asked[1][2]["messages"] == WITH_RESULT


def test_a_call_without_words_is_no_empty_answer_of_a_thinking_model(server: Server) -> None:
    call = {"id": "c1", "function": {"name": "search", "arguments": '{"question": "tea"}'}}
    server.answers = [streamed({"reasoning_content": "Hm."}, {"tool_calls": [call]})]
    assert said(EngineClient(server.url, "m").generate_with_tools(ASKED, [TOOL])) == ("", Ending(False, (CALL,)))


@pytest.mark.parametrize(
    "words",
    [
        "the model 'demo' has no way to call tools: ask without them, or set another model",
        "registry.ollama.ai/library/demo does not support tools",
    ],
)
def test_a_model_that_can_not_is_named_with_the_next_step(server: Server, words: str) -> None:
    server.answers = [(400, {}, {"error": {"message": words}})]
    with pytest.raises(ModelError, match=r"^demo can't call tools, .*: set models\.chat to a model that can, .*Qwen 3"):
        said(EngineClient(server.url, "demo").generate_with_tools(ASKED, [TOOL]))


def test_ollama_is_told_of_calls_in_its_own_words(server: Server) -> None:
    plain: Answer = (200, {}, {"template": "{{ .Prompt }}", "model_info": {}})
    call = {"function": {"name": "search", "arguments": {"question": "tea"}}}
    message = {"role": "assistant", "content": "", "tool_calls": [call]}
    lines = json.dumps({"message": message, "done": True, "done_reason": "stop"})
    server.answers = [plain, (200, {"Content-Type": "application/x-ndjson"}, lines.encode())]
    _, ending = said(OllamaClient(server.url, "m").generate_with_tools(WITH_RESULT, [TOOL]))
    assert [(made.name, made.arguments) for made in ending.calls] == [("search", '{"question": "tea"}')]
    _, asked, told = server.asked[1][2]["messages"]
    assert asked["tool_calls"] == [{"function": {"name": "search", "arguments": {"question": "tea"}}}]
    assert (told["tool_name"], told["content"]) == ("search", "Three minutes.")
    assert server.asked[1][2]["tools"][0]["function"]["name"] == "search"
