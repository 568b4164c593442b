"""Asks a flow for an evaluation, over HTTP and by the same checks as a visitor's question."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator

import httpx

from flows.client import run_flow
from flows.conversations import VISITOR
from flows.server import base_url, credentials
from flows.visitors import check_flow
from pipeline.chat import Answer
from pipeline.errors import ServiceError
from pipeline.settings import Settings


def ask_flow(settings: Settings, flow: str, question: str) -> Iterator[str | Answer]:
    """Yields the answer's text piece by piece, then one `Answer`. Each question is a conversation of its own.

    Args:
        settings: the site's settings; `sitetwin up` must be running.
        flow: its endpoint name.
        question: what is asked.

    Raises:
        ServiceError: Langflow can't be reached, does not know the flow, or visitors may not talk to it.
    """
    with asyncio.Runner() as runner:
        pieces = _asked(settings, flow, question)
        while True:
            try:
                piece = runner.run(_next(pieces))
            except StopAsyncIteration:
                return
            yield piece


async def _next(pieces: AsyncIterator[str | Answer]) -> str | Answer:
    return await anext(pieces)


async def _asked(settings: Settings, flow: str, question: str) -> AsyncIterator[str | Answer]:
    url, key = base_url(settings), credentials(settings).api_key
    async with httpx.AsyncClient(trust_env=False) as http:
        if reason := await check_flow(http, url, key, flow):
            raise ServiceError(f"the flow {flow}: {reason}")
        async for piece in run_flow(url, key, flow, question, f"{VISITOR}{uuid.uuid4()}", http=http):
            yield piece
