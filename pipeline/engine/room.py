"""How many chats the engine holds at a time, by what its graphics processor may hold.

Metal ends a process that asks for more, and with it every answer under way. So it is counted before. A CPU has no such
limit, and there nothing is counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

ROWS = 32
"""Requests that are answered at the same time."""
PROMPTS = 8
"""Of them, whose prompts are read at the same time."""
CACHE_BYTES = 1_000_000_000
"""Of what is kept of answered requests; the requests under way go off it when another one joins them."""
CHAT_TOKENS = 2048
"""Of one chat: the passages of its question, the turns before and an answer."""
WORK_BYTES = 1_000_000_000
"""What a step computes with beside weights and caches."""
CACHE_SHARE = 4
"""One part of so many of the room beside the weights is for what is kept of answered requests."""


@dataclass(frozen=True, slots=True)
class Room:
    rows: int = ROWS
    prompts: int = PROMPTS
    cache_bytes: int = CACHE_BYTES


def room(limit: int | None, weights: int, chat: int) -> Room:
    """What has room beside the weights; one chat at least, so that a Mac with too little memory still answers.

    Args:
        limit: bytes that the graphics processor may hold; None: there is none.
        weights: bytes.
        chat: bytes of one chat, as `bytes_of_chat` counts them.
    """
    if limit is None:
        return Room()
    left = max(0, limit - weights - WORK_BYTES)
    kept = min(CACHE_BYTES, left // CACHE_SHARE)
    rows = min(ROWS, max(1, (left - kept) // max(1, chat)))
    return Room(rows, min(PROMPTS, rows), kept)


def bytes_of_chat(caches: Iterable[Any], tokens: int = CHAT_TOKENS) -> int:
    """Bytes that the caches of one chat grow to.

    Args:
        caches: of each layer, mlx-lm's, after the first token; nothing needs to be computed.
        tokens: of the chat; a layer with a sliding window keeps no more than that.
    """
    return sum(_bytes(cache, tokens) for cache in caches)


def _bytes(cache: Any, tokens: int) -> int:
    if not (step := getattr(cache, "step", None)):
        return int(cache.nbytes)  # of the same size for all lengths, as a state-space model's
    # mlx-lm takes memory for so many tokens at a time.
    return int(cache.nbytes) * min(tokens, int(getattr(cache, "max_size", tokens))) // int(step)
