"""Counting pairs by blocks gives what comparing each pair gives."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.catalog.matching.dominance import Points, beyond, compared


def points(rng, count, kinds, largest):
    amounts = (rng.integers(-1, largest, count) for _ in range(2))
    return Points(*amounts, rng.integers(0, kinds, count))


@pytest.mark.parametrize("largest", [2, 40, 600, 10**9])
@pytest.mark.parametrize(("few", "many"), [(1, 1), (1, 3000), (3000, 1), (37, 500), (2000, 2500)])
def test_blocks_count_what_comparing_counts(largest, few, many):
    rng = np.random.default_rng(largest + few)
    for share in (0.0, 0.3, 1.0):
        needs, haves = points(rng, few, 5, largest), points(rng, many, 7, largest)
        suits = rng.random((5, 7)) < share
        assert (beyond(needs, haves, suits) == compared(needs, haves, suits)).all()


def test_one_amount_that_most_have():
    rng = np.random.default_rng(1)
    haves = points(rng, 3000, 3, 1000)
    heavy = rng.random(3000) < 0.6
    haves = haves._replace(x=np.where(heavy, 500, haves.x), y=np.where(heavy, 321, haves.y))
    needs = Points(
        *(np.repeat([499, 500, 501, 320, 321, 322], 6), np.tile([499, 500, 501, 320, 321, 322], 6)),
        np.arange(36) % 2,
    )
    suits = np.array([[True, False, True], [True, True, True]])
    assert (beyond(needs, haves, suits) == compared(needs, haves, suits)).all()


def test_nothing():
    empty = Points(*(np.empty(0, np.int64) for _ in range(3)))
    one = Points(*(np.zeros(1, np.int64) for _ in range(3)))
    assert beyond(empty, one, np.ones((1, 1), bool)).tolist() == []
    assert beyond(one, empty, np.ones((1, 1), bool)).tolist() == [0]
