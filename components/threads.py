"""Reads a blocking iterator from an event loop."""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


async def iterate(items: Iterator[T]) -> AsyncIterator[T]:
    """Yields the items of a blocking iterator. Leaving early closes the iterator if it is a generator.

    One thread runs both `next` and `close`, so a cancelled reader never closes a running generator.
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
