"""What one visitor, and all of them together, may ask for."""

import ipaddress
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

WINDOW_SECONDS = 60.0
_SWEEP_AT = 10_000


class RateLimit:
    """A sliding window: at most `per_minute` questions of one visitor in any 60 seconds."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._asked: dict[str, deque[float]] = {}

    def take(self, visitor: str) -> float:
        """0.0 when the question may be asked, and it is then counted; else the seconds until the next may."""
        now = self._clock()
        if len(self._asked) >= _SWEEP_AT:
            self._asked = {key: times for key, times in self._asked.items() if times[-1] > now - WINDOW_SECONDS}
        times = self._asked.setdefault(visitor, deque())
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        if len(times) >= self._per_minute:
            return times[0] + WINDOW_SECONDS - now
        times.append(now)
        return 0.0


class Slots:
    """How many answers may be in the making at once."""

    def __init__(self, count: int) -> None:
        self._free = count

    @property
    def full(self) -> bool:
        return self._free <= 0

    @contextmanager
    def one(self) -> Iterator[bool]:
        """Holds a slot while the block runs; False when there was none, and then nothing is held."""
        if self.full:
            yield False
            return
        self._free -= 1
        try:
            yield True
        finally:
            self._free += 1


def visitor_key(address: str | None) -> str:
    """Whom a client address counts as: a whole /64 of IPv6 is one visitor, for one home has all of it."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return address or ""
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
