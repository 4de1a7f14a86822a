from __future__ import annotations

import numpy as np
import pytest

from shoal import datasets, nn


@pytest.fixture(scope="session")
def wave():
    """A small network for the sine family."""
    return nn.Network(
        [nn.Dense(8, "tanh"), nn.Dense(8, "tanh"), nn.Dense(1)], input_shape=(1,), loss="mse", seed=0
    )


@pytest.fixture(scope="session")
def waves():
    return datasets.sine(shots=16, queries=16)


@pytest.fixture(scope="session")
def rooms():
    """Six devices that are given by the data; the values of room 5 are immense."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(7 * 8, 2)).astype(np.float32)
    y = (x @ np.float32([1, -1])).astype(np.float32)
    room = np.repeat(np.arange(7), 8)
    y[room == 5] = 1e25
    return datasets.by_group(x, y, room, shots=6, queries=2, held_out=[6])


@pytest.fixture(scope="session")
def line():
    """A linear network for the rooms."""
    return nn.Network([nn.Dense(4, "tanh"), nn.Dense(1)], input_shape=(2,), loss="mse", seed=1)


@pytest.fixture(scope="session")
def blobs():
    """A family of classes that are easy to tell apart, and a network for it."""
    rng = np.random.default_rng(1)
    label = np.repeat(np.arange(12), 20)
    x = (rng.normal(size=(12, 6))[label] * 2 + rng.normal(size=(240, 6)) * 0.3).astype(np.float32)
    family = datasets.few_shot(x, label, 3, 4, 5, held_out_classes=4)
    network = nn.Network(
        [nn.Dense(16, "tanh"), nn.Dense(3), nn.Softmax()], input_shape=(6,), loss="cross_entropy", seed=2
    )
    return network, family
