import pytest

from benchmarks.engine_peer import Speed, compared, in_pairs


def test_each_side_comes_first_in_turn_after_a_pair_that_loads() -> None:
    asked: list[tuple[str, int]] = []

    def side(name: str, number: int) -> Speed:
        asked.append((name, number))
        return Speed(number, number)

    pairs = in_pairs(lambda number: side("engine", number), lambda number: side("ollama", number), rounds=3)
    assert pairs == [(Speed(number, number), Speed(number, number)) for number in (1, 2, 3)]
    assert asked == [
        ("engine", 0), ("ollama", 0), ("engine", 1), ("ollama", 1), ("ollama", 2), ("engine", 2), ("engine", 3), ("ollama", 3),
    ]  # fmt: skip


@pytest.mark.parametrize(("seconds", "expected"), [(0, 1), (50, 3), (500, 5)])
def test_no_pair_begins_after_the_time(seconds: float, expected: int) -> None:
    now = [0.0]

    def side(_: int) -> Speed:
        now[0] += 10
        return Speed(1, 1)

    assert len(in_pairs(side, side, rounds=5, seconds=seconds, clock=lambda: now[0])) == expected


def test_a_disturbance_of_both_sides_leaves_the_ratio() -> None:
    quiet, disturbed = (Speed(100, 20), Speed(50, 40)), (Speed(10, 2), Speed(5, 4))
    figures = compared([quiet, disturbed, disturbed, quiet, (Speed(100, 20), Speed(1, 1))])
    assert figures["ollama_ratio_read"] == 0.5
    assert figures["ollama_ratio_written"] == 2
    assert figures["ollama_ratio_written_least"] == 0.05
    assert (figures["written_engine"], figures["written_ollama"]) == (20, 4)
