from __future__ import annotations

import numpy as np

from shoal.federate.update import Mean, moved


def test_one_change_comes_out_with_the_same_bits():
    change = np.random.default_rng(0).normal(size=100).astype(np.float32)
    mean = Mean(100)
    mean.add(change, 1.0)
    assert mean.value().tobytes() == change.tobytes()


def test_the_mean_is_weighted_by_samples_and_taken_in_the_order_of_the_clients():
    rng = np.random.default_rng(0)
    changes = rng.normal(size=(5, 30)).astype(np.float32)
    weights = np.float32([1, 0.5, 0.25, 1, 0.75])
    mean = Mean(30)
    total = np.zeros(30, np.float32)
    for change, weight in zip(changes, weights, strict=True):
        mean.add(change, float(weight))
        total = total + weight * change
    assert mean.value().tobytes() == (total / np.float32(3.5)).tobytes()
    np.testing.assert_allclose(
        mean.value(), np.average(changes, axis=0, weights=weights), rtol=1e-4, atol=1e-6
    )


def test_nothing_has_no_mean():
    assert Mean(3).value() is None


def test_a_move_that_overflows_changes_nothing():
    p = np.float32([1, 3e38])
    assert not moved(p, None, np.float32([1, 3e38]), 1.0)
    assert p.tolist() == np.float32([1, 3e38]).tolist()


def test_only_the_shared_places_move():
    p = np.zeros(4, np.float32)
    assert moved(p, np.array([1, 3]), np.float32([2, 4]), 0.5)
    assert p.tolist() == [0, 1, 0, 2]
