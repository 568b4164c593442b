"""Limits on the questions of one visitor, and of all visitors together."""

import ipaddress
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

WINDOW_SECONDS = 60.0
_SWEEP_AT = 10_000


class RateLimit:
    """A sliding window: one visitor may ask `per_minute` questions in any 60 seconds. `clock` returns seconds."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._asked: dict[str, deque[float]] = {}

    def take(self, visitor: str, questions: int = 1) -> float:
        """Counts a question, or several at once, and returns 0.0 if allowed; else the seconds until it is.

        More questions at once than a minute may have are counted as a whole minute.
        """
        questions = min(questions, self._per_minute)
        now = self._clock()
        if len(self._asked) >= _SWEEP_AT:
            self._asked = {key: times for key, times in self._asked.items() if times[-1] > now - WINDOW_SECONDS}
        times = self._asked.setdefault(visitor, deque())
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        if (too_many := len(times) + questions - self._per_minute) > 0:
            return times[too_many - 1] + WINDOW_SECONDS - now
        times.extend([now] * questions)
        return 0.0


class Slots:
    """Limits the number of answers that are made at the same time to `count`."""

    def __init__(self, count: int) -> None:
        self._free = count

    @property
    def full(self) -> bool:
        """Whether no slot is free."""
        return self._free <= 0

    @contextmanager
    def one(self) -> Iterator[bool]:
        """Holds a slot while the block runs and yields True; yields False if no slot is free."""
        if self.full:
            yield False
            return
        self._free -= 1
        try:
            yield True
        finally:
            self._free += 1


def visitor_key(address: str | None) -> str:
    """The key under which a client address is counted. A /64 of IPv6 is one visitor, because it belongs to one home."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return address or ""
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
