from concurrent.futures import ThreadPoolExecutor
from queue import Empty, Queue
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.weights import blas

blas.preload(1)

from mlx_lm.server import GenerationContext, Response  # noqa: E402

from pipeline.engine.room import Room  # noqa: E402
from pipeline.engine.turns import SPARE, Turns  # noqa: E402

TOKEN = Response("a", 5, -0.1, None, ())  # type: ignore[arg-type]
READ = (5, 5)
Taken = tuple[Any, str, Any]


def make_turns(rows: int, prompts: int) -> Turns:
    return Turns(lambda: Room(rows, prompts), 100, len)


def put(turns: Turns, adapter: str | None, *names: str) -> None:
    for name in names:
        turns.put((Queue(), name, SimpleNamespace(model=SimpleNamespace(adapter=adapter))))


def many(adapter: str, count: int) -> list[str]:
    return [f"{adapter}{number}" for number in range(count)]


def take_all(turns: Turns) -> list[Taken]:
    """All that there is room for."""
    taken = []
    while True:
        try:
            taken.append(turns.get_nowait())
        except Empty:
            return taken


def names(taken: list[Taken]) -> list[str]:
    return [request for _, request, _ in taken]


def read(taken: list[Taken]) -> None:
    """The last pieces of their prompts."""
    for answers, _, _ in taken:
        answers.put((3, 5))
        answers.put(READ)


def test_one_behind_twenty_of_another_adapter_is_next() -> None:
    turns = make_turns(rows=32, prompts=4)
    put(turns, "a", *many("a", 20))
    first = take_all(turns)
    assert names(first) == ["a0", "a1", "a2", "a3"]
    put(turns, "b", "b0")
    assert take_all(turns) == []
    read(first)
    assert names(take_all(turns)) == ["b0", "a4", "a5", "a6"]


def test_adapters_share_the_batch_equally_and_the_base_is_one_of_them() -> None:
    turns = make_turns(rows=12, prompts=12)
    put(turns, "a", *many("a", 30))
    put(turns, "b", *many("b", 30))
    put(turns, None, *many("-", 2))
    taken = names(take_all(turns))
    assert taken == ["a0", "b0", "-0", "a1", "b1", "-1", "a2", "b2"]


def test_the_last_rows_are_for_adapters_that_have_none() -> None:
    turns = make_turns(rows=10, prompts=10)
    put(turns, "a", *many("a", 30))
    assert len(take_all(turns)) == 10 - SPARE
    put(turns, "b", "b0", "b1")
    put(turns, "c", "c0")
    assert names(take_all(turns)) == ["b0", "c0"]


def test_room_comes_of_what_is_answered_refused_or_given_up() -> None:
    turns = make_turns(rows=2 * SPARE, prompts=10)
    put(turns, "a", *many("a", 7))
    (one, *_), (two, *_), (three, *_), _ = take_all(turns)
    one.put(None)
    two.put(ValueError("no"))
    assert names(take_all(turns)) == ["a4", "a5"]
    context = GenerationContext(False, False, None, None, "normal", [1])  # type: ignore[arg-type]
    three.put(context)
    assert take_all(turns) == []
    context.stop()
    assert names(take_all(turns)) == ["a6"]


def test_a_long_prompt_is_read_alone_and_keeps_its_turn() -> None:
    turns = make_turns(rows=32, prompts=8)
    put(turns, "a", "short", "l" * 500, "tiny")
    first = take_all(turns)
    assert names(first) == ["short"]
    read(first)
    second = take_all(turns)
    assert names(second) == ["l" * 500]
    read(second)
    assert names(take_all(turns)) == ["tiny"]


def test_what_becomes_of_a_request_reaches_who_asked() -> None:
    turns = make_turns(rows=32, prompts=4)
    asked: Queue[Any] = Queue()
    turns.put((asked, "x", SimpleNamespace(model=SimpleNamespace(adapter=None))))
    answers, _, _ = turns.get(timeout=1)
    for message in ((3, 5), TOKEN, None):
        answers.put(message)
    assert [asked.get_nowait() for _ in range(3)] == [(3, 5), TOKEN, None]


def test_the_loop_steps_until_one_can_be_taken() -> None:
    turns = make_turns(rows=32, prompts=1)
    steps = iter(turns)
    next(steps)
    put(turns, "a", "a0", "a1")
    assert next(steps, "end") == "end"
    (taken,) = take_all(turns)
    # There is one more, but no room for it.
    steps = iter(turns)
    next(steps)
    read([taken])
    assert next(steps, "end") == "end"


def test_the_loop_waits_for_a_request() -> None:
    turns = make_turns(rows=32, prompts=4)
    with pytest.raises(Empty):
        turns.get(timeout=0.01)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(turns.get, 30)
        put(turns, "a", "a0")
        assert waiting.result(timeout=30)[1] == "a0"
