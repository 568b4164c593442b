"""Sends a message piece by piece to whoever watches the flow."""

from collections.abc import AsyncIterator

from langchain_core.messages import AIMessageChunk
from lfx.custom.custom_component.component import Component
from lfx.schema.message import Message
from lfx.utils.constants import MESSAGE_SENDER_AI, MESSAGE_SENDER_NAME_AI


async def streamed(component: Component, pieces: AsyncIterator[str]) -> Message:
    """The assistant's message with all `pieces` as its text, streamed where a page shows tokens."""

    async def chunks() -> AsyncIterator[AIMessageChunk]:
        async for piece in pieces:
            yield AIMessageChunk(content=piece)

    message = Message(
        sender=MESSAGE_SENDER_AI,
        sender_name=MESSAGE_SENDER_NAME_AI,
        session_id=getattr(getattr(component, "graph", None), "session_id", None) or "",
    )
    if not _has_listener(component, message):
        message.text = "".join([piece async for piece in pieces])
        return message
    message.text = chunks()
    message.properties.state = "partial"
    return await component.send_message(message)


def _has_listener(component: Component, message: Message) -> bool:
    """Whether a page shows tokens: the node is connected to a Chat Output, in a session with a listener."""
    return bool(
        message.session_id
        and getattr(component, "_event_manager", None)
        and component._vertex
        and component.is_connected_to_chat_output()
    )
