"""Whose request the engine takes next.

mlx-lm's loop takes requests in the order in which they come and hands all of them to its batch at once; a chat behind
twenty others of another adapter would wait for twenty prompts. `Turns` stands where that loop has its queue. Whatever
can join the batch joins it at its next step, and of those that wait

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
from collections.abc import Callable, Iterator
from itertools import count
from queue import Empty, Queue
from typing import Any, NamedTuple

from mlx_lm.server import GenerationContext

from pipeline.engine.room import Room

SPARE = 4
STEPS_SECONDS = 0.1
"""How long the loop generates before it looks for requests that were given up."""


class _Waiting(NamedTuple):
    number: int
    """Lower for those that came before."""
    size: int
    item: tuple[Any, Any, Any]


class _Taken:
    """A request in the batch. mlx-lm's loop puts what becomes of it here, as into its queue."""

    def __init__(self, answers: "Queue[Any]", adapter: str | None, size: int) -> None:
        self._answers = answers
        self._context: GenerationContext | None = None
        self._is_over = False
        self.adapter = adapter
        self.unread = size
        """Of its prompt; 0 once all of it is read."""

    def put(self, message: Any) -> None:
        if isinstance(message, GenerationContext):
            self._context = message
        elif isinstance(message, tuple):
            done, total = message
            self.unread = self.unread if done < total else 0
        elif message is None or isinstance(message, Exception):
            self._is_over = True
        self._answers.put(message)

    @property
    def is_over(self) -> bool:
        """Answered, refused, or given up by whoever asked."""
        return self._is_over or (self._context is not None and self._context._should_stop)


class Turns:
    """The queue of mlx-lm's ResponseGenerator: (queue of answers, request, arguments), from any thread to its loop.

    Iterating over it is the loop's time budget: a step each, until a request can be taken or a little time is over.

    Args:
        room: of the batch; it may shrink when the model is loaded.
        characters: of the prompts that are read at the same time, together; a longer one is read alone.
        size: the characters of a request's prompt.
    """

    def __init__(self, room: Callable[[], Room], characters: int, size: Callable[[Any], int]) -> None:
        self._room = room
        self._characters = characters
        self._size = size
        self._numbers = count()
        self._waiting: dict[str | None, deque[_Waiting]] = {}
        """By adapter."""
        self._taken: list[_Taken] = []
        self._changed = threading.Condition()

    def put(self, item: tuple[Any, Any, Any]) -> None:
        adapter = item[2].model.adapter
        size = max(1, self._size(item[1]))
        with self._changed:
            self._waiting.setdefault(adapter, deque()).append(_Waiting(next(self._numbers), size, item))
            self._changed.notify()

    def get(self, timeout: float) -> tuple[Any, Any, Any]:
        """Raises:
        Empty: for `timeout` seconds there was none, or no room.
        """
        with self._changed:
            self._changed.wait_for(self._next, timeout)
            return self._take()

    def get_nowait(self) -> tuple[Any, Any, Any]:
        """Raises:
        Empty: there is none, or no room.
        """
        with self._changed:
            return self._take()

    def __iter__(self) -> Iterator[None]:
        end = time.monotonic() + STEPS_SECONDS
        while time.monotonic() < end:
            with self._changed:
                if self._next():
                    return
            yield

    def _next(self) -> "deque[_Waiting] | None":
        """The requests whose first one is next; None if nothing waits or the batch has no room for it."""
        self._taken = [one for one in self._taken if not one.is_over]
        unread = [one.unread for one in self._taken if one.unread]
        room = self._room()
        if len(self._taken) >= room.rows or len(unread) >= room.prompts:
            return None
        shares = Counter(one.adapter for one in self._taken)
        is_tight = len(self._taken) >= room.rows - min(SPARE, room.rows // 2)
        able = [adapter for adapter in self._waiting if not (is_tight and shares[adapter])]
        if not able:
            return None
        requests = self._waiting[min(able, key=lambda adapter: (shares[adapter], self._waiting[adapter][0].number))]
        return requests if not unread or sum(unread) + requests[0].size <= self._characters else None

    def _take(self) -> tuple[Any, Any, Any]:
        requests = self._next()
        if requests is None:
            raise Empty
        first = requests.popleft()
        answers, request, arguments = first.item
        taken = _Taken(answers, arguments.model.adapter, first.size)
        if not requests:
            del self._waiting[taken.adapter]
        self._taken.append(taken)
        return taken, request, arguments
