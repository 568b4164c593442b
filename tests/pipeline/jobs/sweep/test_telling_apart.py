import pytest

from pipeline.jobs.sweep.telling_apart import Group, interval, sentences


def test_the_interval_is_students():
    # mean 2, standard deviation 1, t(0.975; 2) = 4.3027
    assert interval([1.0, 2.0, 3.0]) == pytest.approx((2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), abs=1e-4)
    assert interval([1.0]) is None


def test_ranks_are_compared_seed_by_seed():
    low = Group(4, {0: 3.0, 1: 3.5, 2: 4.0}, [0.1, 0.2])
    worse = Group(8, {0: 3.1, 1: 3.61, 2: 4.09}, [])
    alike = Group(16, {0: 3.2, 1: 3.3, 2: 4.1}, [])
    assert low.rise == pytest.approx(0.15)
    first, second, third = sentences([low, worse, alike])
    assert first == "rank 4 has the lowest validation loss, 3.500"
    assert second.startswith("rank 8 is +0.100 from it, 95 % interval +0.075 to +0.125 over 3 seeds, so it is worse")
    assert third.endswith("so these seeds do not tell them apart")


def test_one_seed_tells_nothing_apart():
    both = sentences([Group(4, {0: 3.0}, []), Group(8, {0: 3.1}, [])])
    assert (
        both[1] == "rank 8 is +0.100 from it with one seed, which does not say whether that is chance: take --seeds 3"
    )
    assert sentences([Group(4, {0: 3.0}, [])]) == ["rank 4: validation loss 3.000, with one seed"]
    assert sentences([]) == []
