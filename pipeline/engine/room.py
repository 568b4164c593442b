"""How many chats the engine holds at a time, from the memory that its graphics processor may use.

Metal ends a process that asks for more, and every answer under way with it. So the engine counts before it starts. A CPU
has no such limit, and nothing is counted there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

ROWS = 32
"""The most requests that are answered at the same time."""
PROMPTS = 8
"""The most requests whose prompts are read at the same time."""
CACHE_BYTES = 1_000_000_000
"""The most bytes kept of answered requests. The requests under way use this memory too: the loop makes room for them
when another one joins."""
CHAT_TOKENS = 2048
"""The tokens assumed for one chat: the passages of its question, the earlier turns and an answer."""
WORK_BYTES = 1_000_000_000
"""The bytes assumed for the arrays of one step, beside weights and caches."""
CACHE_SHARE = 4
"""Answered requests get one part in this many of the memory beside the weights."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many requests are answered at a time, how many prompts are read at a time, and the bytes kept of answered ones."""

    rows: int = ROWS
    prompts: int = PROMPTS
    cache_bytes: int = CACHE_BYTES


def room(limit: int | None, weights: int, chat: int) -> Room:
    """What fits beside the weights. It is at least one chat, so that a Mac with too little memory still answers.

    Args:
        limit: the bytes that the graphics processor may hold; None: there is no limit.
        weights: the bytes of the weights.
        chat: the bytes of one chat, as `bytes_of_chat` counts them.
    """
    if limit is None:
        return Room()
    left = max(0, limit - weights - WORK_BYTES)
    kept = min(CACHE_BYTES, left // CACHE_SHARE)
    rows = min(ROWS, max(1, (left - kept) // max(1, chat)))
    return Room(rows, min(PROMPTS, rows), kept)


def bytes_of_chat(caches: Iterable[Any], tokens: int = CHAT_TOKENS) -> int:
    """The bytes to which the caches of one chat grow.

    Args:
        caches: mlx-lm's cache of each layer after the first token. Their values need not be computed.
        tokens: the tokens of the chat. A layer with a sliding window keeps no more than its window.
    """
    return sum(_bytes(cache, tokens) for cache in caches)


def _bytes(cache: Any, tokens: int) -> int:
    if not (step := getattr(cache, "step", None)):
        return int(cache.nbytes)  # its size does not depend on the length, as in a state-space model
    # mlx-lm allocates memory for `step` tokens at a time.
    return int(cache.nbytes) * min(tokens, int(getattr(cache, "max_size", tokens))) // int(step)
