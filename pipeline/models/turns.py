"""Whose request the engine takes next.

mlx-lm's loop takes requests in the order in which they come and hands all of them to its batch at once; a chat behind
twenty others of another adapter would wait for twenty prompts. `Turns` stands where that loop has its queue. Whatever
can join the batch joins it at its next step, and of those that wait

- the adapter with the fewest requests in the batch comes first, and among equals the request that waits longest; so
  adapters share the batch equally, however many requests each has, and one adapter's are taken in their order;
- only so many as can be read at once (`prompts`) are handed over, so that who comes first is decided as late as it can
  be, and nobody waits for more prompts than those that are being read;
- the last `SPARE` rows of the batch are for adapters that have no request in it: they need not wait until an answer
  of another one ends.

The base counts as one more adapter.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from itertools import count
from queue import Empty, Queue
from typing import Any

from mlx_lm.server import GenerationContext, Response

SPARE = 4
STEPS_SECONDS = 0.1
"""How long the loop generates before it looks for requests that were given up."""


class _Taken:
    """A request in the batch. mlx-lm's loop puts what becomes of it here, as into its queue."""

    def __init__(self, answers: "Queue[Any]", adapter: str | None) -> None:
        self._answers = answers
        self._context: GenerationContext | None = None
        self._is_over = False
        self.adapter = adapter
        self.is_prompt = True
        """Until its first token."""

    def put(self, message: Any) -> None:
        if isinstance(message, GenerationContext):
            self._context = message
        elif isinstance(message, Response):
            self.is_prompt = False
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
        rows: of the batch.
        prompts: of them, that are read at the same time.
    """

    def __init__(self, rows: int, prompts: int) -> None:
        self._rows = rows
        self._prompts = prompts
        self._numbers = count()
        self._waiting: dict[str | None, deque[tuple[int, Any]]] = {}
        """By adapter, with the order in which they came."""
        self._taken: list[_Taken] = []
        self._changed = threading.Condition()

    def put(self, item: tuple[Any, Any, Any]) -> None:
        with self._changed:
            self._waiting.setdefault(item[2].model.adapter, deque()).append((next(self._numbers), item))
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

    def _next(self) -> deque[tuple[int, Any]] | None:
        """The requests whose first one is next; None if nothing waits or the batch has no room for it."""
        self._taken = [one for one in self._taken if not one.is_over]
        if len(self._taken) >= self._rows or sum(one.is_prompt for one in self._taken) >= self._prompts:
            return None
        shares = Counter(one.adapter for one in self._taken)
        is_tight = len(self._taken) >= self._rows - SPARE
        able = [adapter for adapter in self._waiting if not (is_tight and shares[adapter])]
        if not able:
            return None
        return self._waiting[min(able, key=lambda adapter: (shares[adapter], self._waiting[adapter][0][0]))]

    def _take(self) -> tuple[Any, Any, Any]:
        requests = self._next()
        if requests is None:
            raise Empty
        _, (answers, request, arguments) = requests.popleft()
        taken = _Taken(answers, arguments.model.adapter)
        if not requests:
            del self._waiting[taken.adapter]
        self._taken.append(taken)
        return taken, request, arguments
