"""Tool calls as models write them, with mlx-lm's own parser of Qwen's."""

import json
from typing import Any

import pytest

from pipeline.weights import blas

blas.preload(1)

from mlx_lm.tool_parsers.json_tools import parse_tool_call  # noqa: E402

from pipeline.engine.answer import CompletionPiece  # noqa: E402
from pipeline.engine.replies import Calls, Choice, take  # noqa: E402

CALL = '{"name": "look_up", "arguments": {"word": "Tür"}}'


def calls() -> Calls:
    return Calls(parse_tool_call, [])


def functions(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [call["function"] for call in found]


def test_a_call_has_openais_form() -> None:
    (call,) = calls().read(f"\n{CALL}\n")
    assert call.pop("id").startswith("call_")
    assert call == {
        "index": 0,
        "type": "function",
        "function": {"name": "look_up", "arguments": '{"word": "Tür"}'},
    }


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('{"name": "now"}', {}),
        ('{"name": "now", "arguments": null}', {}),
        ('{"name": "now", "arguments": "{\\"zone\\": \\"UTC\\"}"}', {"zone": "UTC"}),
    ],
    ids=["none", "null", "a text that holds JSON"],
)
def test_arguments_are_always_a_json_object(text: str, arguments: dict[str, str]) -> None:
    (function,) = functions(calls().read(text))
    assert json.loads(function["arguments"]) == arguments


def test_several_calls_are_counted_through() -> None:
    reader = calls()
    found = [*reader.read(f"[{CALL}, {CALL}]"), *reader.read(CALL)]
    assert [call["index"] for call in found] == [0, 1, 2]
    assert len({call["id"] for call in found}) == 3
    assert reader.count == 3


@pytest.mark.parametrize(
    "text", ["", "look it up", "5", '"look_up"', "[1]", '{"arguments": {}}', '{"name": 7}', f"{CALL},"]
)
def test_what_is_no_call_is_said_as_text(text: str) -> None:
    reader, choice = calls(), Choice(0)
    assert reader.read(text) == []
    take(choice, [CompletionPiece("content", "Wait. "), CompletionPiece("tool", text)], reader)
    assert (choice.content, choice.calls, reader.count) == (f"Wait. {text}", [], 0)
