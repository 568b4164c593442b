import numpy as np

from pipeline.training.config import configuration
from pipeline.training.data import BatchOrder, TokenRow, by_length, make_batch

ROWS = [TokenRow([number] * (5 + number), 2) for number in range(1, 16)]


def test_a_batch_is_padded_with_zeros_and_cut_to_the_window():
    batch = make_batch([TokenRow([7, 8, 9], 1), TokenRow([1, 2, 3, 4, 5, 6], 2)], 5)
    np.testing.assert_array_equal(batch.tokens, [[7, 8, 9, 0, 0], [1, 2, 3, 4, 5]])
    np.testing.assert_array_equal(batch.spans, [[1, 2], [2, 4]])
    assert batch.learnt == 5


def test_the_first_token_of_a_row_has_no_loss():
    assert make_batch([TokenRow([7, 8, 9], 0)], 5).learnt == 2


def test_neighbours_in_length_share_a_batch_and_none_is_lost():
    batches = by_length(list(reversed(ROWS)), 4)
    assert [row for batch in batches for row in batch] == ROWS
    assert [len(batch) for batch in batches] == [4, 4, 4, 3]


def epoch(schedule: BatchOrder, number: int) -> list[int]:
    """Rows by their token, in the order in which they are read."""
    first = number * schedule.per_epoch
    return [int(row[0]) for place in range(schedule.per_epoch) for row in schedule.batch(first + place).tokens]


def test_an_epoch_reads_each_row_once_and_the_next_in_another_order():
    schedule = BatchOrder(ROWS, configuration())
    epochs = [epoch(schedule, number) for number in range(6)]
    assert all(len(set(read)) == len(read) == 14 for read in epochs)
    assert len({tuple(read) for read in epochs}) == 6
    assert {row for read in epochs for row in read} == set(range(1, 16))


def test_an_iteration_has_its_batch_whatever_was_read_before():
    read, fresh = BatchOrder(ROWS, configuration()), BatchOrder(ROWS, configuration())
    batches = [read.batch(place).tokens for place in range(20)]
    np.testing.assert_array_equal(fresh.batch(17).tokens, batches[17])
    np.testing.assert_array_equal(fresh.batch(3).tokens, batches[3])
    other = BatchOrder(ROWS, configuration("best", {"seed": 1}))
    assert epoch(other, 0) != epoch(fresh, 0)


def test_little_is_padded():
    rows = [TokenRow([1] * length, 0) for length in np.random.default_rng(0).integers(20, 200, 64)]
    schedule = BatchOrder(rows, configuration())
    read = sum(schedule.batch(place).tokens.size for place in range(schedule.per_epoch))
    assert read < 1.06 * sum(len(row.tokens) for row in rows)
