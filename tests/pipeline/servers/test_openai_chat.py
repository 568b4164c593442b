import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from pipeline.errors import ModelError
from pipeline.servers.openai_chat import OpenAIChat
from pipeline.servers.transport import LONGEST_PAUSE, TRIES
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


def test_it_may_say_so_by_a_date(server: Server) -> None:
    pauses: list[float] = []
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    server.answers = [
        (429, {"Retry-After": "Fri, 21 Nov 2025 10:00:00 GMT"}, ""),
        (429, {"Retry-After": soon}, ""),
        (429, {"Retry-After": "later"}, ""),
        (200, {}, REPLY),
    ]
    assert reply(server, pauses) == "Oslo"
    assert pauses == [1, pytest.approx(19, abs=2), 4]


def test_it_gives_up_with_what_the_server_said(server: Server) -> None:
    server.answers = [(429, {}, "slow down")] * TRIES
    with pytest.raises(ModelError, match=r"takes no more requests now \(.*slow down.*\): run the command again later"):
        reply(server, [])
    assert server.answers == []
