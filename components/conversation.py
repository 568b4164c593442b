"""The conversation so far, from Langflow's message store."""

from collections.abc import Sequence

from lfx.custom.custom_component.component import Component
from lfx.memory import aget_messages
from lfx.memory.flow_context import resolve_message_owner_id
from lfx.schema.message import Message
from lfx.utils.constants import MESSAGE_SENDER_USER

from components import wire
from pipeline.chat import Turn

MESSAGES_PER_TURN = 2


async def history(component: Component, turns: int) -> list[Turn]:
    """The last `turns` answered questions of the component's session and their answers, the oldest first.

    The list is empty outside a running flow and in a session without an id.
    """
    graph = getattr(component, "graph", None)
    session = getattr(graph, "session_id", None)
    if graph is None or not session or turns <= 0:
        return []
    messages = await aget_messages(
        session_id=session,
        flow_id=graph.flow_id,
        user_id=resolve_message_owner_id(graph),
        order="DESC",
        # Ten more than needed: the current question is stored already, and earlier ones may have failed.
        limit=turns * MESSAGES_PER_TURN + 10,
    )
    return _answered(messages, turns)


def _answered(newest_first: Sequence[Message], turns: int) -> list[Turn]:
    """Questions and answers in turn. A failed or interrupted question has no answer and is left out."""
    kept: list[Turn] = []
    answer = ""
    for message in newest_first:
        record = wire.unpack(message.session_metadata)
        text = record.answer if record else message.text if isinstance(message.text, str) else ""
        if message.error or not text:
            continue
        if message.sender != MESSAGE_SENDER_USER:
            answer = answer or text
        elif answer:
            kept[:0] = [Turn(role="user", content=text), Turn(role="assistant", content=answer)]
            answer = ""
    return kept[-turns * MESSAGES_PER_TURN :]
