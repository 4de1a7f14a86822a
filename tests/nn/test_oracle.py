"""The reference itself: its gradients are those of its loss."""

from __future__ import annotations

import numpy as np
import pytest

from tests.nn.architectures import FIXED, randomised, samples
from tests.oracle import Oracle

STEP = 1e-6


@pytest.mark.parametrize("name", FIXED)
def test_gradients_are_finite_differences_of_the_loss(name):
    network = randomised(FIXED[name](), 3)
    oracle = Oracle(network)
    rng = np.random.default_rng(0)
    ((x, target),) = samples(network, 1, 5)
    oracle.observe(rng.standard_normal(network.input_shape))
    oracle.observe(rng.standard_normal(network.input_shape))
    gradients = oracle.gradients(x, target)
    assert gradients.keys() == oracle.arrays.keys()
    for key, array in oracle.arrays.items():
        assert gradients[key].shape == array.shape
        for i in rng.permutation(array.size)[:12]:
            expected = slope(lambda: oracle.loss(x, target), array.reshape(-1), i)
            assert gradients[key].reshape(-1)[i] == pytest.approx(expected, rel=1e-6, abs=2e-9)
    sample = x.astype(np.float64)
    gradient = oracle.input_gradient(sample, target).reshape(-1)
    for i in rng.permutation(sample.size)[:12]:
        expected = slope(lambda: oracle.loss(sample, target), sample.reshape(-1), i)
        assert gradient[i] == pytest.approx(expected, rel=1e-6, abs=2e-9)


def slope(function, values, i):
    """Return the derivative of a function by one value, by central differences."""
    old = values[i]
    values[i] = old + STEP
    above = function()
    values[i] = old - STEP
    below = function()
    values[i] = old
    return (above - below) / (2 * STEP)


def test_only_what_is_trainable_changes():
    network = randomised(FIXED["channels"](), 0)
    oracle = Oracle(network)
    before = {name: array.copy() for name, array in oracle.arrays.items()}
    for x, target in samples(network, 3, 0):
        oracle.step(x, target, "adam", rate=0.1)
    changed = {name: before[name] != array for name, array in oracle.arrays.items()}
    assert not changed["conv2d_1.weights"][..., [0, 4, 5]].any()
    assert changed["conv2d_1.bias"].tolist() == [False, True, True, True, False, False]
    assert set(np.flatnonzero(changed["depthwise_conv2d_1.bias"])) == {0, 1, 5, 11}
    assert set(np.flatnonzero(changed["group_norm_1.scale"])) == set(range(3, 9))
    assert set(np.flatnonzero(changed["dense_1.bias"])) == {7}
    assert set(np.flatnonzero(changed["dense_2.bias"])) == {0, 2}


def test_standardize_gives_the_mean_and_deviation_of_all_samples():
    network = FIXED["standardised"]()
    oracle = Oracle(network)
    data = np.random.default_rng(0).standard_normal((50, 3)) * 3 + 7
    for x in data:
        oracle.observe(x)
    statistics = oracle.statistics["standardize_1"]
    np.testing.assert_allclose(statistics["mean"], data.mean(0))
    np.testing.assert_allclose(statistics["spread"] / 50, data.var(0))
