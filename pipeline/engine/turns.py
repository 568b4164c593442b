"""Whose request the engine takes next.

A chat behind twenty others of another adapter would wait for twenty prompts. Whatever can join the batch joins it at
its next step, and of those that wait

- the adapter with the fewest requests in the batch comes first, and among equals the request that waits longest; so
  adapters share the batch equally, however many requests each has, and one adapter's are taken in their order;
- only what can be read at once is handed over, many short prompts or one long one. So who comes first is decided as
  late as it can be, the first of several long prompts is answered before the last one is read, and the answers under
  way never stand still for long;
- the last `SPARE` rows of the batch, or half of a small one, are for adapters that have no request in it: they
  need not wait until an answer of another one ends.

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


class Waiting(Protocol):
    adapter: str | None
    unread: int
    is_over: bool


T = TypeVar("T", bound=Waiting)


class Turns(Generic[T]):
    """Requests from any thread to the one that generates.

    Args:
        room: of the batch; it may shrink when the model is loaded.
        tokens: of the prompts that are read at the same time, together; a longer one is read alone.
        clock: seconds.
    """

    def __init__(self, room: Callable[[], Room], tokens: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._room = room
        self._tokens = tokens
        self._clock = clock
        self._numbers = count()
        self._waiting: dict[str | None, deque[tuple[int, T]]] = {}
        """By adapter, with a number that is lower for those that came before."""
        self._taken: list[T] = []
        self._moved = 0.0
        self._changed = threading.Condition()

    def put(self, request: T) -> None:
        with self._changed:
            if not self._taken and not self._waiting:
                self._moved = self._clock()
            self._waiting.setdefault(request.adapter, deque()).append((next(self._numbers), request))
            self._changed.notify()

    def take(self, timeout: float = 0) -> T | None:
        """The one that is next; None if for `timeout` seconds nothing waited, or there was no room for it."""
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
        """A prompt was read further, or a token was chosen."""
        self._moved = self._clock()

    def still_seconds(self) -> float:
        """For how long nothing has moved although requests wait for it; 0 if none does."""
        with self._changed:
            self._forget()
            return self._clock() - self._moved if self._taken or self._waiting else 0.0

    def _forget(self) -> None:
        """What is over needs no room and no turn."""
        self._taken = [one for one in self._taken if not one.is_over]
        left = {adapter: deque(one for one in all_ if not one[1].is_over) for adapter, all_ in self._waiting.items()}
        self._waiting = {adapter: requests for adapter, requests in left.items() if requests}

    def _next(self) -> "deque[tuple[int, T]] | None":
        """The requests whose first one is next; None if nothing waits or the batch has no room for it."""
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
