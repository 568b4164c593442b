import json

import pytest

from pipeline.servers.tool_calls import ToolCall
from pipeline.servers.written_calls import WrittenCalls

WRITTEN = '{"name": "search", "arguments": {"question": "tea"}}'
CALL = ToolCall("written_0", "search", '{"question": "tea"}')


def read(text: str, size: int = 3) -> tuple[str, str, tuple[ToolCall, ...]]:
    """What is shown at once, what at the end, and the calls."""
    reader = WrittenCalls(["search", "ask"])
    shown = "".join(reader.feed(text[at : at + size]) for at in range(0, len(text), size))
    return (shown, *reader.close())


@pytest.mark.parametrize(
    "text", [WRITTEN, f"\n{WRITTEN}\n", f"```json\n{WRITTEN}\n```", f"```\n{WRITTEN}\n```", WRITTEN[:-1], f'{WRITTEN}\n{WRITTEN}\n{{"name": "se']
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_reply_that_is_a_call_shows_nothing(text: str, size: int) -> None:
    assert read(text, size) == ("", "", (CALL,))


def test_several_calls_keep_their_order() -> None:
    other = json.dumps({"name": "ask", "arguments": {}})
    assert [call.name for call in read(f"{other}\n{WRITTEN}")[2]] == ["ask", "search"]


@pytest.mark.parametrize(
    "text",
    [
        "Tea draws for three minutes.",
        "",
        '{"name": "delete", "arguments": {}}',
        '{"name": "search", "arguments": "tea"}',
        '```json\n{"port": 80}\n```',
        "```sh\nmake up\n```",
        '{"name": "sea',
    ],
)
def test_any_other_text_stays_as_it_is(text: str) -> None:
    shown, rest, calls = read(text)
    assert (shown + rest, calls) == (text, ())


def test_text_is_shown_as_it_comes() -> None:
    assert WrittenCalls(["search"]).feed("Tea") == "Tea"
    assert read(f"I call {WRITTEN}") == (f"I call {WRITTEN}", "", ())
