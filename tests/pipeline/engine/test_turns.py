from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pipeline.engine.room import Room
from pipeline.engine.turns import SPARE, Turns


@dataclass(eq=False)
class Asked:
    name: str
    adapter: str | None
    unread: int
    is_over: bool = False


def make_turns(rows: int, prompts: int, clock: Callable[[], float] = lambda: 0.0) -> Turns[Asked]:
    return Turns(lambda: Room(rows, prompts), 100, clock)


def put(turns: Turns[Asked], adapter: str | None, *names: str) -> None:
    for name in names:
        turns.put(Asked(name, adapter, len(name)))


def many(adapter: str, count: int) -> list[str]:
    return [f"{adapter}{number}" for number in range(count)]


def take_all(turns: Turns[Asked]) -> list[Asked]:
    """All that there is room for."""
    return list(iter(turns.take, None))


def names(taken: list[Asked]) -> list[str]:
    return [one.name for one in taken]


def read(taken: list[Asked]) -> None:
    for one in taken:
        one.unread = 0


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
    assert names(take_all(turns)) == ["a0", "b0", "-0", "a1", "b1", "-1", "a2", "b2"]


def test_the_last_rows_are_for_adapters_that_have_none() -> None:
    turns = make_turns(rows=10, prompts=10)
    put(turns, "a", *many("a", 30))
    assert len(take_all(turns)) == 10 - SPARE
    put(turns, "b", "b0", "b1")
    put(turns, "c", "c0")
    assert names(take_all(turns)) == ["b0", "c0"]


def test_one_row_is_enough_to_answer() -> None:
    turns = make_turns(rows=1, prompts=1)
    put(turns, "a", "a0")
    put(turns, "b", "b0")
    (first,) = take_all(turns)
    first.is_over = True
    assert names(take_all(turns)) == ["b0"]


def test_room_comes_of_what_is_over_also_while_it_waits() -> None:
    turns = make_turns(rows=2 * SPARE, prompts=10)
    put(turns, "a", *many("a", 7))
    one, two, *_ = take_all(turns)
    assert take_all(turns) == []
    one.is_over = two.is_over = True
    assert names(take_all(turns)) == ["a4", "a5"]
    gone = Asked("gone", "b", 1, is_over=True)
    turns.put(gone)
    assert take_all(turns) == []


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


def test_the_loop_waits_for_a_request() -> None:
    turns = make_turns(rows=32, prompts=4)
    assert turns.take(timeout=0.01) is None
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(turns.take, 30)
        put(turns, "a", "a0")
        taken = waiting.result(timeout=30)
        assert taken is not None
        assert taken.name == "a0"


def test_it_is_known_for_how_long_nothing_has_moved() -> None:
    now = [100.0]
    turns = make_turns(rows=32, prompts=4, clock=lambda: now[0])
    assert turns.still_seconds() == 0
    put(turns, "a", "a0", "a1")
    now[0] += 7
    assert turns.still_seconds() == 7
    taken = take_all(turns)
    turns.has_moved()
    now[0] += 2
    put(turns, "a", "a2")  # one more that waits moves nothing
    assert turns.still_seconds() == 2
    for one in [*taken, *take_all(turns)]:
        one.is_over = True
    now[0] += 50
    assert turns.still_seconds() == 0
