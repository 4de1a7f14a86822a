from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.datasets.random import GOLDEN, bits, choose, derive, mix, uniform
from shoal.errors import ConfigError

SEED = st.integers(0, 2**64 - 1)
IDS = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20)


def test_mix_is_splitmix64() -> None:
    # The first outputs of the published generator from state 0.
    states = GOLDEN * np.arange(3, dtype=np.uint64)
    assert [hex(v) for v in mix(states)] == ["0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4", "0x6c45d188009454f"]


@given(SEED, IDS, st.integers(0, 100), st.integers(1, 9))
@settings(deadline=None)
def test_a_draw_depends_on_its_own_id_only(seed: int, ids: list[int], stream: int, count: int) -> None:
    array = np.array(ids, np.uint64)
    for draw in (bits, uniform):
        together = draw(seed, array, stream, count)
        alone = np.concatenate([draw(seed, array[k : k + 1], stream, count) for k in range(len(ids))])
        assert np.array_equal(together, alone)


def test_seeds_streams_ids_and_counters_give_different_words() -> None:
    ids = np.arange(500, dtype=np.uint64)
    words = np.concatenate(
        [bits(seed, ids, stream, 5).ravel() for seed in (0, 1, 2**63) for stream in range(4)]
    )
    assert len(np.unique(words)) == words.size
    assert len(np.unique(derive(ids, 7))) == 3500


def test_a_longer_draw_begins_with_the_shorter_one() -> None:
    ids = np.arange(4, dtype=np.uint64)
    assert np.array_equal(uniform(5, ids, 0, 3), uniform(5, ids, 0, 8)[:, :3])


def test_uniform_is_uniform_and_uncorrelated() -> None:
    u = uniform(1, np.arange(20000, dtype=np.uint64), 0, 4).astype(np.float64)
    assert u.min() >= 0
    assert u.max() < 1
    # Standard errors: 0.001 for the mean, 0.0005 for the variance, 0.007 for a correlation.
    assert np.allclose(u.mean(axis=0), 0.5, atol=0.01)
    assert np.allclose(u.var(axis=0), 1 / 12, atol=0.004)
    assert np.abs(np.corrcoef(u.T) - np.eye(4)).max() < 0.035
    assert abs(np.corrcoef(u[:-1, 0], u[1:, 0])[0, 1]) < 0.035


@given(SEED, st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=8), st.integers(1, 12), st.data())
@settings(deadline=None)
def test_choose_draws_distinct_numbers_of_each_population(
    seed: int, ids: list[int], count: int, data: st.DataObject
) -> None:
    sizes = np.array([data.draw(st.integers(count, 30)) for _ in ids])
    array = np.array(ids, np.uint64)
    picks = choose(seed, array, 0, sizes, count)
    assert picks.shape == (len(ids), count)
    for row, size, one in zip(picks, sizes, array, strict=True):
        assert len(set(row.tolist())) == count
        assert row.min() >= 0
        assert row.max() < size
        assert np.array_equal(choose(seed, np.array([one]), 0, int(size), count)[0], row)


@pytest.mark.parametrize(("population", "count"), [(5, 5), (7, 3), (4, 1)])
def test_choose_is_uniform_at_each_place(population: int, count: int) -> None:
    n = 20000
    picks = choose(3, np.arange(n, dtype=np.uint64), 0, population, count)
    for k in range(count):
        seen = np.bincount(picks[:, k], minlength=population)
        expected = n / population
        # Chi-square with at most 6 degrees of freedom: 30 has a probability below 1e-4.
        assert ((seen - expected) ** 2 / expected).sum() < 30


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(ConfigError, match=f"seed {seed}"):
        bits(seed, np.arange(2, dtype=np.uint64), 0, 1)
