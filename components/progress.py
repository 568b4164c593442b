"""Shows on the canvas how far a long work is."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from lfx.custom.custom_component.component import Component

from pipeline.progress import ProgressReport

T = TypeVar("T")

SECONDS = 1.0
"""The least time between two lines of the same unit."""


async def in_thread(component: Component, work: Callable[[ProgressReport, Callable[[], bool]], T]) -> T:
    """Runs `work` in a thread of its own. What it reports goes to the node's log and status.

    Args:
        component: the node.
        work: takes a function that is told done, total (0: not known) and what is counted, and one that says whether
            the flow was stopped.
    """
    loop, stopped = asyncio.get_running_loop(), threading.Event()
    shown, shown_at = "", 0.0

    def report(done: int, total: int, unit: str) -> None:
        nonlocal shown, shown_at
        if unit != shown or done == total or time.monotonic() - shown_at >= SECONDS:
            shown, shown_at = unit, time.monotonic()
            # Langflow's queue of events belongs to the event loop.
            loop.call_soon_threadsafe(say, component, f"{done} of {total} {unit}" if total else f"{done} {unit}")

    try:
        return await asyncio.to_thread(work, report, stopped.is_set)
    finally:
        stopped.set()


def say(component: Component, text: str) -> None:
    """Writes a line into the node's log and makes it the node's status."""
    component.log(text)
    component.status = text
