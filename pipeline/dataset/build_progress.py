"""The progress of a build, and the way in which it asks many things at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class BuildProgress:
    """The progress of a build; given to `report` after each answer."""

    unit: str
    """`tasks` while the teacher writes, `pairs` while the judge reads."""
    done: int
    total: int
    pairs: int = 0
    """Pairs written or judged so far."""
    accepted: int = 0
    """Those of them that passed the filter so far."""
    pairs_per_minute: float = 0.0
    """Rate of the pairs that this build asked for; kept answers don't count."""


BuildReport = Callable[[BuildProgress], None]


async def all_of(work: Iterable[Callable[[], Awaitable[None]]], most: int) -> None:
    """Run all of `work`, at most `most` at a time. The first error ends the rest and is raised."""
    waiting = iter(work)

    async def worker() -> None:
        for item in waiting:
            await item()

    workers = [asyncio.ensure_future(worker()) for _ in range(most)]
    try:
        await asyncio.gather(*workers)
    finally:
        for running in workers:
            running.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
