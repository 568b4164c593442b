"""Sends an answer piece by piece, then its sources and its record."""

from collections.abc import AsyncIterator, Iterator

from lfx.custom.custom_component.component import Component
from lfx.schema.message import Message

from components import wire
from components.sources import with_sources
from components.streaming import streamed
from components.threads import iterate
from components.tools import as_passage, keep
from pipeline.chat import Answer
from pipeline.settings import GatewaySettings


async def cited(component: Component, pieces: Iterator[str | Answer], gateway: GatewaySettings) -> Message:
    """The answer as a message, streamed where a page listens. Its metadata holds the `Answer` that ends `pieces`.

    Args:
        component: the node that answers.
        pieces: the answer's text, then its record.
        gateway: where sources without a host lie.
    """
    record: Answer | None = None

    async def texts() -> AsyncIterator[str]:
        nonlocal record
        async for piece in iterate(pieces):
            if isinstance(piece, Answer):
                record = piece
            else:
                yield piece

    message = await streamed(component, texts())
    if record is not None:
        # Chat Output stores and sends the message again, with these two fields.
        message.text = with_sources(record, gateway.own_url)
        message.session_metadata = {**(message.session_metadata or {}), **wire.pack(record)}
        keep(as_passage(citation) for citation in record.citations)
    component.status = message
    return message
