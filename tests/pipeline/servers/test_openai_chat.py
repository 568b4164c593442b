import asyncio
from typing import Any

import pytest

from pipeline.errors import ModelError
from pipeline.servers.http import LONGEST_PAUSE
from pipeline.servers.openai_chat import TRIES, OpenAIChat
from tests.answering_server import Server

ASK = [{"role": "user", "content": "Name a city."}]
REPLY = {"choices": [{"message": {"content": "Oslo"}, "finish_reason": "stop"}]}


def reply(server: Server, pauses: list[float]) -> str:
    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    chat = OpenAIChat("m", server.url, pause=pause)
    schema: dict[str, Any] = {"type": "string"}
    return asyncio.run(chat.reply(ASK, schema, max_tokens=9, temperature=0))


def test_a_busy_server_is_asked_again_when_it_says(server: Server) -> None:
    pauses: list[float] = []
    server.answers = [
        (500, {}, "oops"),
        (429, {"Retry-After": "9"}, ""),
        (503, {"Retry-After": "9999"}, ""),
        (200, {}, REPLY),
    ]
    assert reply(server, pauses) == "Oslo"
    assert pauses == [1, 9, LONGEST_PAUSE]


def test_a_date_is_no_number_of_seconds(server: Server) -> None:
    pauses: list[float] = []
    server.answers = [(429, {"Retry-After": "Fri, 21 Nov 2026 10:00:00 GMT"}, ""), (200, {}, REPLY)]
    assert reply(server, pauses) == "Oslo"
    assert pauses == [1]


def test_it_gives_up_with_what_the_server_said(server: Server) -> None:
    server.answers = [(429, {}, "slow down")] * TRIES
    with pytest.raises(ModelError, match=r"answered 429 for m: .*slow down.*; see that server's log"):
        reply(server, [])
    assert server.answers == []
