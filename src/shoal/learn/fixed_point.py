"""Puts a network in float32 into fixed point: int16 values and int32 weights, which learn without an FPU."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import ConfigError
from shoal.nn import Activation, Dense, Flatten, Quantization, Reshape
from shoal.nn.layers.fixed import LARGEST_WEIGHT, as_weights
from shoal.nn.quantization import PROBABILITY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from shoal.nn import Layer

    Range = tuple[float, float]

__all__ = ["to_fixed_point"]

VALUE_BITS = 12  # a value lies within 8
LOGIT_BITS = 9  # within 64: where logits saturate, the gradient of a softmax never vanishes
WORD_BITS = 16


def to_fixed_point(
    layers: Sequence[Layer],
    arrays: Mapping[str, NDArray[Any]],
    given: Range,
    range_after: Callable[[Sequence[Layer]], Range],
) -> tuple[list[Layer], dict[str, NDArray[Any]], Quantization]:
    """Return layers and arrays in fixed point, and the quantization of their samples.

    Values have 12 fraction bits, logits of a softmax 9; fewer where the samples show that twice their range
    would not fit.

    Parameters
    ----------
    layers
        In float32, a softmax as a layer of its own.
    arrays
        Of these layers.
    given
        Least and largest value of the samples.
    range_after
        Gives the range of what the first layers answer.

    Raises
    ------
    ConfigError
        Where a layer does not compute in fixed point, or a weight is 4 or more.
    """
    q = first = within(given, VALUE_BITS)
    result: list[Layer] = []
    fixed: dict[str, NDArray[Any]] = {}
    for index, layer in enumerate(layers):
        if isinstance(layer, Dense):
            least, largest = range_after(layers[: index + 1])
            q = within(
                (2 * least, 2 * largest), LOGIT_BITS if is_softmax(layers[index + 1 :]) else VALUE_BITS
            )
            result.append(replace(layer, quantized=q))
            for part in ("weights", "bias")[: 1 + layer.bias]:
                name = f"{layer.name}.{part}"
                fixed[name] = weights(arrays[name], name)
        elif isinstance(layer, Activation):
            q = PROBABILITY if layer.function == "softmax" else q
            result.append(replace(layer, quantized=q))
        elif isinstance(layer, Flatten | Reshape):
            result.append(layer)
        else:
            raise ConfigError(
                f"{type(layer).__name__} does not compute on int16",
                where=f"layer '{layer.name}'",
                hint="learn.quantize(network, x), for int8",
            )
    return result, fixed, first


def is_softmax(layers: Sequence[Layer]) -> bool:
    """Tell whether a softmax comes next."""
    return len(layers) > 0 and isinstance(layers[0], Activation) and layers[0].function == "softmax"


def within(values: tuple[float, float], most: int) -> Quantization:
    """Return the finest quantization of at most so many fraction bits that holds a range.

    Examples
    --------
    >>> within((-1.0, 20.0), 12).fraction_bits
    10
    """
    largest = max(-values[0], values[1])
    bits = min(most, WORD_BITS - 1 - math.frexp(largest)[1])
    if bits < 0:
        raise ConfigError(
            f"a value is {largest:g}, int16 holds 32767", where="quantize", hint="scale the samples"
        )
    return Quantization("int16", 2.0**-bits, 0)


def weights(values: NDArray[np.float32], name: str) -> NDArray[np.int32]:
    """Return one array as integers."""
    largest = float(np.abs(values).max())
    if largest >= LARGEST_WEIGHT:
        raise ConfigError(
            f"a parameter is {largest:g}, in fixed point they are below {LARGEST_WEIGHT:g}",
            where=name,
            hint="scale the samples, or train with smaller weights",
        )
    return as_weights(values)
