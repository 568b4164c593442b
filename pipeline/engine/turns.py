"""Decides whose request the engine takes next.

If requests came in their order, a chat behind twenty others of another adapter would wait for twenty prompts. Here every
request that has room joins the batch at its next step, and the waiting ones take turns:

- The adapter with the fewest requests in the batch comes first; among equals, the request that has waited longest. So
  adapters share the batch equally, however many requests each has, and requests of one adapter keep their order.
- Only what can be read at once is handed over: many short prompts, or one long one. So the choice is made as late as
  possible, the first of several long prompts is answered before the last one is read, and the answers under way never
  stand still for long.
- The last `SPARE` rows of the batch, or half of a small one, are kept for adapters that have no request in it. They
  need not wait until another adapter's answer ends.

The base counts as one more adapter.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from itertools import count
from typing import Generic, Protocol, TypeVar

from pipeline.engine.room import Room

SPARE = 4
"""Rows of the batch that are kept for adapters without a request in it."""


class Waiting(Protocol):
    """What `Turns` must know of a request: its adapter, its unread tokens, and whether it is over."""

    adapter: str | None
    unread: int
    is_over: bool


T = TypeVar("T", bound=Waiting)


class Turns(Generic[T]):
    """Passes requests from any thread to the thread that generates.

    Args:
        room: returns the size of the batch, which may shrink when the model is loaded.
        tokens: the most tokens that the prompts read at the same time have together. A longer prompt is read alone.
        clock: returns seconds.
    """

    def __init__(self, room: Callable[[], Room], tokens: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._room = room
        self._tokens = tokens
        self._clock = clock
        self._numbers = count()
        self._waiting: dict[str | None, deque[tuple[int, T]]] = {}
        """The waiting requests by adapter. Each has a number; earlier requests have lower ones."""
        self._taken: list[T] = []
        self._moved = 0.0
        self._changed = threading.Condition()

    def put(self, request: T) -> None:
        """Queues a request. Any thread may call it."""
        with self._changed:
            if not self._taken and not self._waiting:
                self._moved = self._clock()
            self._waiting.setdefault(request.adapter, deque()).append((next(self._numbers), request))
            self._changed.notify()

    def take(self, timeout: float = 0) -> T | None:
        """The next request; None if nothing waits or nothing has room.

        Args:
            timeout: the seconds to wait for one.
        """
        with self._changed:
            if timeout:
                self._changed.wait_for(self._next, timeout)
            requests = self._next()
            if requests is None:
                return None
            _, request = requests.popleft()
            self._taken.append(request)
            return request

    def has_moved(self) -> None:
        """Notes that a prompt was read further, or that a token was chosen."""
        self._moved = self._clock()

    def still_seconds(self) -> float:
        """The seconds since anything moved although requests wait; 0 if none waits."""
        with self._changed:
            self._forget()
            return self._clock() - self._moved if self._taken or self._waiting else 0.0

    def _forget(self) -> None:
        """Removes requests that are over."""
        self._taken = [one for one in self._taken if not one.is_over]
        left = {adapter: deque(one for one in all_ if not one[1].is_over) for adapter, all_ in self._waiting.items()}
        self._waiting = {adapter: requests for adapter, requests in left.items() if requests}

    def _next(self) -> "deque[tuple[int, T]] | None":
        """The queue whose first request is next; None if nothing waits, or the batch has no room for it."""
        self._forget()
        unread = [one.unread for one in self._taken if one.unread]
        room = self._room()
        if len(self._taken) >= room.rows or len(unread) >= room.prompts:
            return None
        shares = Counter(one.adapter for one in self._taken)
        is_tight = len(self._taken) >= room.rows - min(SPARE, room.rows // 2)
        able = [adapter for adapter in self._waiting if not (is_tight and shares[adapter])]
        if not able:
            return None
        requests = self._waiting[min(able, key=lambda adapter: (shares[adapter], self._waiting[adapter][0][0]))]
        return requests if not unread or sum(unread) + requests[0][1].unread <= self._tokens else None
