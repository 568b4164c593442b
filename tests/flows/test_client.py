"""`run_flow` against an app in this process, and against a port where nobody listens."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from flows.client import run_flow
from pipeline.chat import Answer
from pipeline.errors import ServiceError


async def run(request: Request) -> Response:
    if request.headers.get("x-api-key") != "key":
        return JSONResponse({"detail": "Invalid key"}, 403)
    if request.path_params["flow"] != "rag_chat":
        return JSONResponse({"detail": "Flow identifier not found"}, 404)
    asked = await request.json()
    if asked["input_value"] == "break":
        return JSONResponse({"detail": "Internal: error"}, 500)

    async def events() -> AsyncIterator[str]:
        for word in (asked["input_value"], " in ", asked["session_id"]):
            yield json.dumps({"event": "token", "data": {"id": "m", "chunk": word}}) + "\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


APP = Starlette(routes=[Route("/api/v1/run/{flow}", run, methods=["POST"])])


def ask(question: str, key: str = "key", flow: str = "rag_chat") -> list[str | Answer]:
    async def read() -> list[str | Answer]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(APP)) as http:
            return [piece async for piece in run_flow("http://langflow", key, flow, question, "session-1", http=http)]

    return asyncio.run(read())


def test_pieces_then_the_answer() -> None:
    *pieces, answer = ask("Bread")
    assert pieces == ["Bread", " in ", "session-1"]
    assert isinstance(answer, Answer)
    assert answer.answer == "Bread in session-1"


def test_an_unknown_flow() -> None:
    with pytest.raises(ServiceError, match="no flow 'tea': restart `sitetwin up`"):
        ask("Bread", flow="tea")


def test_a_wrong_key_is_not_repeated() -> None:
    with pytest.raises(ServiceError, match="refused the key: restart") as caught:
        ask("Bread", key="sk-wrong")
    assert "sk-wrong" not in str(caught.value)


def test_another_refusal_has_its_status() -> None:
    with pytest.raises(ServiceError, match=r"failed \(status 500 .*Playground"):
        ask("break")


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        async def read() -> None:
            async for _ in run_flow(url, "key", "rag_chat", "Bread", "s"):
                pass

        with pytest.raises(ServiceError, match="run `sitetwin up`"):
            asyncio.run(read())
