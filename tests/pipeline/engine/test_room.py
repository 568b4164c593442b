import pytest

from pipeline.weights import blas

blas.preload(1)

import mlx.core as mx  # noqa: E402
from mlx_lm.models.cache import ArraysCache, KVCache, RotatingKVCache  # noqa: E402

from pipeline.engine.room import CACHE_BYTES, Room, bytes_of_chat, room  # noqa: E402

GEMMA_12B, ITS_CHAT = 7_000_000_000, 470_000_000
"""Bytes of its weights in 4 bits, and of a chat."""


def keys_of(tokens: int) -> mx.array:
    """Of 8 heads of 256 numbers in bfloat16; not computed."""
    return mx.zeros((1, 8, tokens, 256), mx.bfloat16)


def test_without_a_graphics_processor_nothing_is_counted() -> None:
    assert room(None, GEMMA_12B, ITS_CHAT) == Room() == Room(32, 8, CACHE_BYTES)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (10_700_000_000, Room(4, 4, 675_000_000)),  # what Metal advises on a Mac with 16 GB
        (19_000_000_000, Room(21, 8, CACHE_BYTES)),
        (40_000_000_000, Room()),
        (5_000_000_000, Room(1, 1, 0)),
    ],
)
def test_rows_and_caches_are_what_has_room_beside_the_weights(limit: int, expected: Room) -> None:
    found = room(limit, GEMMA_12B, ITS_CHAT)
    assert found == expected
    assert GEMMA_12B + found.rows * ITS_CHAT + found.cache_bytes < limit or found.rows == 1


def test_a_chat_is_counted_by_what_each_layer_keeps() -> None:
    caches = [KVCache(), RotatingKVCache(max_size=1024)]
    for cache in caches:
        cache.update_and_fetch(keys_of(1), keys_of(1))
    token = 2 * 8 * 256 * 2
    assert bytes_of_chat(caches, 4096) == token * (4096 + 1024)
    assert bytes_of_chat(caches, 512) == token * 1024
    state = ArraysCache(1)
    state[0] = mx.zeros((1, 1000), mx.float32)
    assert bytes_of_chat([state], 10) == bytes_of_chat([state], 10_000) == 4000
