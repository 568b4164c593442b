import asyncio
import threading
from collections.abc import Iterator

import pytest

from components.threads import iterate


def test_the_items_come_in_their_order_from_another_thread() -> None:
    threads: set[int] = set()

    def items() -> Iterator[int]:
        for n in range(3):
            threads.add(threading.get_ident())
            yield n

    async def read() -> list[int]:
        return [item async for item in iterate(items())]

    assert asyncio.run(read()) == [0, 1, 2]
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_an_error_of_the_generator_reaches_the_reader() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise LookupError("no model")

    async def read() -> None:
        async for _ in iterate(items()):
            pass

    with pytest.raises(LookupError, match="no model"):
        asyncio.run(read())


def test_a_cancelled_reader_closes_the_generator_that_is_waiting() -> None:
    waiting, go_on, closed = threading.Event(), threading.Event(), threading.Event()

    def items() -> Iterator[int]:
        try:
            yield 1
            waiting.set()
            go_on.wait(10)
            yield 2
        finally:
            closed.set()

    async def read() -> None:
        async for _ in iterate(items()):
            pass

    async def cancel_while_it_waits() -> None:
        task = asyncio.create_task(read())
        await asyncio.to_thread(waiting.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        assert await asyncio.to_thread(closed.wait, 10)

    asyncio.run(cancel_while_it_waits())
