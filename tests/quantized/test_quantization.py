"""The integers that operations are rescaled with: near the real scale, and always what the loader takes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shoal.errors import ConfigError
from shoal.nn import Quantization
from shoal.nn.quantization import (
    activation_range,
    add_numbers,
    dense_numbers,
    lookup_table,
    mean_numbers,
    multiplier_and_shift,
    quantize,
    softmax_numbers,
)

SCALES = st.floats(1e-5, 10).map(np.float32).map(float)
TYPES = st.sampled_from(["int8", "uint8"])


@st.composite
def quantizations(draw, dtype=TYPES):
    kind = draw(dtype)
    least = -128 if kind == "int8" else 0
    return Quantization(kind, draw(SCALES), draw(st.integers(least, least + 255)))


def are_sound(numbers, scales):
    """As the loader asks: a range, then multipliers of at least 0 and shifts -31 to 30."""
    pairs = numbers[2:].reshape(-1, 2)
    return (
        numbers.dtype == np.int32
        and len(pairs) == scales
        and numbers[0] <= numbers[1]
        and (pairs[:, 0] >= 0).all()
        and (abs(pairs[:, 1] + 0.5) <= 31).all()
    )


@given(st.floats(2.0**-31, 2.0**30 - 1))
@example(1.0)
@example(0.5)
@example(math.nextafter(1.0, 0.0))  # rounds up to the next power of two
def test_a_multiplier_is_the_nearest_of_31_bits(real):
    multiplier, shift = multiplier_and_shift(real)
    assert 2**30 <= multiplier < 2**31
    assert abs(math.ldexp(multiplier, shift - 31) - real) <= math.ldexp(real, -31)


def test_a_scale_that_rounds_every_sum_to_0_is_0():
    assert multiplier_and_shift(0.0) == multiplier_and_shift(2.0**-33) == (0, 0)


@given(quantizations(), quantizations(), st.lists(SCALES, min_size=1, max_size=4), st.integers(1, 65025))
def test_all_numbers_are_such_as_the_loader_takes(first, second, scales, count):
    scales = np.array(scales, np.float32)
    for dense in (False, True):
        assert are_sound(dense_numbers(first, scales, second, "relu6", dense=dense), len(scales))
    assert are_sound(add_numbers(first, second, first, None), 3)
    assert are_sound(mean_numbers(first, second, count), 1)
    probability = Quantization(first.dtype, 1 / 256, int(np.iinfo(first.dtype).min))
    multiplier, shift, least = softmax_numbers(first, probability)
    assert multiplier >= 2**30
    assert -31 <= shift <= 30
    assert -255 <= least <= 0
    assert -int(least) << max(int(shift), 0) < 2**31  # no difference that counts overflows


def test_softmax_gives_steps_of_one_in_256():
    with pytest.raises(ConfigError, match="softmax gives"):
        softmax_numbers(Quantization("int8", 0.1, 0), Quantization("int8", 0.1, 0))


@given(quantizations(), st.sampled_from([None, "relu", "relu6"]))
def test_the_range_of_an_activation_is_what_its_ends_are_quantized_to(q, activation):
    least, largest = activation_range(q, activation)
    low, high = {None: (-1e9, 1e9), "relu": (0, 1e9), "relu6": (0, 6)}[activation]
    assert (least, largest) == tuple(int(value) for value in quantize([low, high], q))


@given(quantizations(), quantizations(), st.floats(0, 0.9))
def test_a_table_holds_the_function_of_each_integer(given_, wanted, slope):
    real = given_.scale * (np.arange(256) + np.iinfo(given_.dtype).min - float(given_.zero_point))
    functions = {
        "requantize": real,
        "relu": np.maximum(real, 0),
        "relu6": np.clip(real, 0, 6),
        "leaky_relu": np.where(real < 0, slope * real, real),
        "tanh": np.tanh(real),
        "sigmoid": 1 / (1 + np.exp(-np.clip(real, -700, None))),
    }
    limits = np.iinfo(wanted.dtype)
    for name, values in functions.items():
        exact = np.clip(values / wanted.scale + wanted.zero_point, limits.min, limits.max)
        table = lookup_table(name, given_, wanted, slope)
        assert table.dtype == wanted.dtype
        # Fixed point rounds twice, and relu6 ends at the integer that is nearest to 6.
        assert abs(table - exact).max() <= 1.01
        assert np.mean(abs(table - exact)) <= 0.51
    with pytest.raises(ConfigError, match="no table of 'gelu'"):
        lookup_table("gelu", given_, wanted)
