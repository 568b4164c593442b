"""A blocking iterator, read from an event loop."""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


async def iterate(items: Iterator[T]) -> AsyncIterator[T]:
    """The items of an iterator that waits for a model; leaving early closes it, if it is a generator.

    One thread of its own runs `next` and `close`, so a cancelled reader never closes a generator that is running.
    """
    thread = ThreadPoolExecutor(1, thread_name_prefix="sitetwin-answer")
    loop = asyncio.get_running_loop()
    end = object()
    try:
        while (item := await loop.run_in_executor(thread, next, items, end)) is not end:
            yield item  # type: ignore[misc]
    finally:
        thread.submit(_close, items)
        thread.shutdown(wait=False)


def _close(items: Iterator[T]) -> None:
    if isinstance(items, Generator):
        items.close()
