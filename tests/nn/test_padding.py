"""Padding in numbers: the same sums as with zeros around the input, and limits that are explained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shoal import nn
from shoal.errors import ConfigError
from shoal.runtime import Executor
from tests.nn.architectures import randomised

SHAPE = (7, 6, 2)
SIDES = (2, 0, 1, 1)


def answer(network, x):
    return Executor(network.plan(None).image()).predict(x).reshape(network.output_shape)


@pytest.mark.parametrize("layer", [nn.Conv2D(3, (3, 2), (2, 1)), nn.DepthwiseConv2D((3, 2), (1, 2))])
def test_a_convolution_sees_zeros_around_its_input(layer):
    network = randomised(nn.Network([replace(layer, padding=SIDES)], SHAPE), 1)
    x = np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)
    around = np.pad(x, ((2, 1), (0, 1), (0, 0)))
    plain = nn.Network([replace(layer, padding="valid")], around.shape)
    for name, array in network.arrays.items():
        plain.arrays[name] = array
    np.testing.assert_array_equal(answer(network, x), answer(plain, around))


@pytest.mark.parametrize(("kind", "mean"), [(nn.MaxPool2D, np.nanmax), (nn.AveragePool2D, np.nanmean)])
def test_padding_does_not_count_in_a_pool(kind, mean):
    network = nn.Network([kind((3, 2), (2, 1), SIDES)], SHAPE)
    x = np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)
    around = np.pad(x, ((2, 1), (0, 1), (0, 0)), constant_values=np.nan)
    got = answer(network, x)
    assert got.shape == (4, 6, 2)
    expected = [[mean(around[2 * i : 2 * i + 3, j : j + 2], axis=(0, 1)) for j in range(6)] for i in range(4)]
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_what_same_and_valid_mean_can_be_written_in_numbers():
    def image(padding):
        return randomised(nn.Network([nn.Conv2D(3, 3, 2, padding)], SHAPE), 1).plan(None).image()

    assert image("same") == image((1, 0, 1, 1)) == image([1, 0, 1, 1])
    assert image("valid") == image((0, 0, 0, 0))


def test_it_learns_and_comes_back_from_a_file(tmp_path):
    network = nn.Network([nn.Conv2D(3, 3, 2, SIDES), nn.MaxPool2D(2, 1, (0, 1, 1, 0))], SHAPE, "mse")
    network.save(tmp_path / "net.shoal")
    again = nn.load(tmp_path / "net.shoal")
    assert repr(again) == repr(network)
    assert again.plan("sgd").image() == network.plan("sgd").image()


@pytest.mark.parametrize(
    ("padding", "what"),
    [
        ("full", "padding must be 'same' or 'valid', got 'full'"),
        ((1, 1), r"padding must be 'same' or 'valid', got \(1, 1\)"),
        (1, "padding must be 'same' or 'valid', got 1"),
        (
            (3, 0, 0, 0),
            r"padding \(3, 0, 0, 0\) must be integers of at least 0, less than the kernel \(3, 2\)",
        ),
        ((0, 2, 0, 0), "less than the kernel"),
        ((0, -1, 0, 0), "at least 0"),
        ((0, 0.5, 0, 0), "must be integers"),
        ((True, 0, 0, 0), "must be integers"),
    ],
)
@pytest.mark.parametrize(
    "make",
    [lambda padding: nn.Conv2D(3, (3, 2), 1, padding), lambda padding: nn.MaxPool2D((3, 2), 1, padding)],
)
def test_other_padding_is_refused(make, padding, what):
    with pytest.raises(ConfigError, match=what) as caught:
        nn.Network([make(padding)], SHAPE)
    assert caught.value.where.startswith("layers[0]")
