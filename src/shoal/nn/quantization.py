"""Affine quantization, and the integers that quantized operations are rescaled with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeGuard

import numpy as np

from shoal.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "GRADIENT",
    "PROBABILITY",
    "Quantization",
    "activation_range",
    "add_numbers",
    "check_power_of_two",
    "dense_numbers",
    "dequantize",
    "is_fixed",
    "lookup_table",
    "lstm_numbers",
    "mean_numbers",
    "multiplier_and_shift",
    "quantize",
    "requantize_numbers",
    "softmax_numbers",
    "svdf_numbers",
]

RANGES = {
    "int8": (-128, 127),
    "uint8": (0, 255),
    "int16": (-32768, 32767),
    "int32": (-(2**31), 2**31 - 1),
}
MOST_FRACTION_BITS = 15
ADD_SHIFT = 20
SOFTMAX_INTEGER_BITS = 5
LARGEST_SHIFT = 30


@dataclass(frozen=True, slots=True)
class Quantization:
    """Real values as integers: ``real = scale * (integer - zero_point)``.

    Parameters
    ----------
    dtype
        "int8", "uint8", "int16" or "int32". Layers compute on the first two, and on int16 in fixed point,
        where the scale is a power of two, 2**-15 to 1, and the zero point 0; Quantize goes between all.
    scale
        Above 0, a float32.
    zero_point
        The integer that stands for 0; of int32 it is 0.

    Examples
    --------
    >>> quantize([-1.0, 0.0, 0.26], Quantization("int8", 0.5, 3))
    array([1, 3, 4], dtype=int8)
    """

    dtype: Literal["int8", "uint8", "int16", "int32"]
    scale: float
    zero_point: int

    def __post_init__(self) -> None:
        if self.dtype not in RANGES:
            raise ConfigError(
                f"unknown integer type {self.dtype!r}", hint=" | ".join(f'"{name}"' for name in RANGES)
            )
        if not (math.isfinite(self.scale) and self.scale > 0):
            raise ConfigError(f"scale must be above 0, got {self.scale!r}")
        least, largest = RANGES[self.dtype]
        if not least <= self.zero_point <= largest:
            raise ConfigError(f"zero_point must be {least} to {largest}, got {self.zero_point!r}")
        if self.dtype == "int32" and self.zero_point != 0:
            raise ConfigError(f"zero_point of int32 must be 0, got {self.zero_point!r}")

    @property
    def fraction_bits(self) -> int:
        """Digits behind the binary point, where the scale is a power of two."""
        return 1 - math.frexp(self.scale)[1]


# What gradients and probabilities are in fixed point.
GRADIENT = Quantization("int16", 2.0**-13, 0)
PROBABILITY = Quantization("int16", 2.0**-15, 0)


def is_fixed(q: Quantization | None) -> TypeGuard[Quantization]:
    """Tell whether values are in fixed point: int16 with a number of fraction bits."""
    if q is None or q.dtype != "int16" or q.zero_point != 0:
        return False
    return 0 <= q.fraction_bits <= MOST_FRACTION_BITS and q.scale == 2.0**-q.fraction_bits


def check_power_of_two(q: Quantization) -> None:
    """Refuse int16 values that are not in fixed point where a layer computes on them.

    Raises
    ------
    ConfigError
        Where the zero point is not 0, or the scale no power of two.
    """
    if q.dtype != "int16" or is_fixed(q):
        return
    if q.zero_point != 0:
        raise ConfigError(f"zero_point of int16 must be 0, got {q.zero_point!r}")
    raise ConfigError(
        f"scale of int16 must be a power of two, got {q.scale!r}",
        hint="2**-15 to 1; 2**-12 for values within 8",
    )


def quantize(x: ArrayLike, q: Quantization) -> NDArray[np.integer]:
    """Return the nearest integers, halves away from 0, as the runtime does in float32.

    Parameters
    ----------
    x
        Any shape; values that are too large saturate.
    q
        Scale, zero point and type of the answer.
    """
    ratio = np.asarray(x, np.float32) / np.float32(q.scale)
    return saturated(round_away(ratio) + q.zero_point, q)


def dequantize(codes: ArrayLike, q: Quantization) -> NDArray[np.float32]:
    """Return the real values that integers stand for, each one float32 product."""
    return np.float32(q.scale) * (np.asarray(codes, np.int32) - q.zero_point).astype(np.float32)


def multiplier_and_shift(real: float) -> tuple[int, int]:
    """Return m and s with ``real ~ m / 2**31 * 2**s``, m from 2**30 up, or 0 for what rounds to 0.

    Examples
    --------
    >>> multiplier_and_shift(0.75)
    (1610612736, 0)
    """
    fraction, shift = math.frexp(real)
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    return (0, 0) if shift < -31 or multiplier == 0 else (multiplier, shift)


def rescale(x: NDArray[np.int64], real: float) -> NDArray[np.int64]:
    """Return x times a scale as the runtime takes it: rounded twice, halves up, then away from 0."""
    multiplier, shift = multiplier_and_shift(real)
    left = (x << max(shift, 0)).astype(np.int32).astype(np.int64)
    product, right = (left * multiplier + (1 << 30)) >> 31, max(-shift, 0)
    return (product + ((1 << right) >> 1) - ((product < 0) & (right > 0))) >> right


def activation_range(q: Quantization, activation: str | None) -> tuple[int, int]:
    """Return the least and the largest integer that an output may have.

    Examples
    --------
    >>> activation_range(Quantization("int8", 0.05, -10), "relu6")
    (-10, 110)
    """
    least, largest = RANGES[q.dtype]
    if activation in ("relu", "relu6"):
        least = max(least, q.zero_point)
    if activation == "relu6":
        largest = min(largest, q.zero_point + int(round_away(np.float32(6) / np.float32(q.scale))))
    return least, largest


def dense_numbers(
    given: Quantization,
    scales: NDArray[np.float32],
    wanted: Quantization,
    activation: str | None,
    *,
    dense: bool = False,
) -> NDArray[np.int32]:
    """Return range, then multiplier and shift of each output channel.

    Parameters
    ----------
    given, wanted
        Quantization of the input and of the output.
    scales
        Of the weights, one for each output channel.
    activation
        That the output ends with: None, "relu" or "relu6".
    dense
        The layer is Dense. The others, on uint8, take the scale of a product in float32.
    """
    # As TensorFlow Lite prepares them: int8 in double precision, the older uint8 convolutions not.
    products = given.scale * np.asarray(scales, np.float64)
    if given.dtype == "uint8" and not dense:
        products = products.astype(np.float32).astype(np.float64)
    return numbers(activation_range(wanted, activation), products / wanted.scale)


def add_numbers(
    first: Quantization, second: Quantization, wanted: Quantization, activation: str | None
) -> NDArray[np.int32]:
    """Return range, then the scales of both inputs and of the output."""
    twice = 2 * max(first.scale, second.scale)
    scales = (first.scale / twice, second.scale / twice, twice / ((1 << ADD_SHIFT) * wanted.scale))
    return numbers(activation_range(wanted, activation), scales)


def mean_numbers(given: Quantization, wanted: Quantization, count: int) -> NDArray[np.int32]:
    """Return range and the scale of a sum of `count` values; the division is part of the multiplier."""
    multiplier, shift = multiplier_and_shift(given.scale / wanted.scale)
    bits = min(count.bit_length() - 1, 31 + shift)
    pair = ((multiplier << bits) // count, shift - bits)
    return np.array([*activation_range(wanted, None), *pair], np.int32)


def softmax_numbers(given: Quantization, wanted: Quantization, beta: float = 1.0) -> NDArray[np.int32]:
    """Return the scale of differences and the least difference that counts.

    Raises
    ------
    ConfigError
        If the answer is not in steps of 1/256 from 0, of int16 from int8 in steps of 1/65536.
    """
    least, most = RANGES[wanted.dtype]
    steps = most - least + 1
    if abs(wanted.scale * steps - 1) > 1e-3 or wanted.zero_point != least:
        raise ConfigError(f"softmax gives {wanted}", hint=f"scale 1/{steps}, zero point {least}")
    if given.dtype != wanted.dtype and (given.dtype, wanted.dtype) != ("int8", "int16"):
        raise ConfigError(f"softmax gives {wanted.dtype} from {given.dtype}", hint="the same type")
    one = 1 << (31 - SOFTMAX_INTEGER_BITS)
    multiplier, shift = multiplier_and_shift(min(beta * given.scale * one, (1 << 31) - 1.0))
    radius = ((1 << SOFTMAX_INTEGER_BITS) - 1) * one / 2.0**shift
    # Where the shift is larger, the largest value alone counts, which is not scaled.
    return np.array([multiplier, min(shift, LARGEST_SHIFT), -min(math.floor(radius), 255)], np.int32)


def requantize_numbers(given: Quantization, wanted: Quantization) -> NDArray[np.int32]:
    """Return the zero point of what is given, a scale, and the zero point of what is wanted."""
    scale = multiplier_and_shift(given.scale / wanted.scale)
    return np.array([given.zero_point, *scale, wanted.zero_point], np.int32)


def svdf_numbers(
    given: Quantization, scales: NDArray[np.float32], state: Quantization, wanted: Quantization
) -> NDArray[np.int32]:
    """Return the scale from sums over the input to what is remembered, then to the answer.

    Parameters
    ----------
    given, state, wanted
        Quantization of the input, of what is remembered, and of the answer.
    scales
        Of the weights of the input and of time.
    """
    # In float32, as TensorFlow Lite takes them.
    x, kept, y = (np.float32(q.scale) for q in (given, state, wanted))
    both = (x * scales[0] / kept, kept * scales[1] / y)
    return np.array([part for scale in both for part in multiplier_and_shift(float(scale))], np.int32)


def lstm_numbers(
    given: Quantization, scales: NDArray[np.float32], cell: Quantization, wanted: Quantization, clip: float
) -> NDArray[np.int32]:
    """Return two scales for each gate, that of the answer, the whole bits of a cell, and its limit.

    Parameters
    ----------
    given, cell, wanted
        Quantization of the input, of a cell, and of the answer.
    scales
        (4, 2) of the weights of input and answer, for each gate.
    clip
        Largest cell, 0 for any.
    """
    # In float32, as TensorFlow Lite takes them; gates have 12 fraction bits.
    x, y = np.float32(given.scale), np.float32(wanted.scale)
    gates = [
        weights * value * np.float32(2**12)
        for pair in scales
        for weights, value in zip(pair, (x, y), strict=True)
    ]
    last = np.float32(2.0**-30 / float(y))
    numbers = [part for scale in (*gates, last) for part in multiplier_and_shift(float(scale))]
    limit = int(min(np.float32(clip) / np.float32(cell.scale), np.float32(32767)))
    return np.array([*numbers, MOST_FRACTION_BITS - cell.fraction_bits, limit], np.int32)


def lookup_table(
    function: str, given: Quantization, wanted: Quantization, slope: float = 0.01
) -> NDArray[np.integer]:
    """Return the answers to all 256 inputs, the least first.

    Parameters
    ----------
    function
        "requantize", "relu", "relu6", "leaky_relu", "tanh" or "sigmoid".
    given, wanted
        Quantization of the input and of the answers.
    slope
        Of leaky_relu below 0.

    Examples
    --------
    >>> q = Quantization("int8", 0.5, 0)
    >>> lookup_table("relu", q, q)[126:131]
    array([0, 0, 0, 1, 2], dtype=int8)
    """
    if function not in ("requantize", "relu", "relu6", "leaky_relu", *CURVES):
        raise ConfigError(f"no table of {function!r}")
    least, largest = RANGES[given.dtype]
    x = np.arange(least, largest + 1) - given.zero_point
    if function in CURVES:
        curve = CURVES[function](np.float32(given.scale) * x.astype(np.float32))
        steps = curve * (np.float32(1) / np.float32(wanted.scale))
        return saturated(round_away(steps) + wanted.zero_point, wanted)
    if function == "requantize":
        return saturated(rescale(x, given.scale / wanted.scale) + wanted.zero_point, wanted)
    in_float32 = float(np.float32(given.scale) / np.float32(wanted.scale))
    answers = rescale(x, in_float32)
    if function == "leaky_relu":
        below = float(np.float32(given.scale) * np.float32(slope) / np.float32(wanted.scale))
        answers = np.where(x < 0, rescale(x, below), answers)
        return saturated(answers + wanted.zero_point, wanted)
    return np.clip(answers + wanted.zero_point, *activation_range(wanted, function)).astype(wanted.dtype)


def tanh(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the hyperbolic tangent, rounded once, so that a table is the same everywhere."""
    return np.tanh(x.astype(np.float64)).astype(np.float32)


def sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 1 / (1 + exp(-x)) in float32, exp rounded once."""
    with np.errstate(over="ignore"):
        power = np.exp(-x.astype(np.float64)).astype(np.float32)
    return np.float32(1) / (np.float32(1) + power)


CURVES: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {"tanh": tanh, "sigmoid": sigmoid}


def numbers(limits: tuple[int, int], scales: Iterable[float]) -> NDArray[np.int32]:
    """Return limits and scales as the runtime reads them."""
    pairs = (part for scale in scales for part in multiplier_and_shift(float(scale)))
    return np.array([*limits, *pairs], np.int32)


def round_away(x: ArrayLike) -> NDArray[np.float64]:
    """Return the nearest whole numbers of float32 values, halves away from 0."""
    exact = np.asarray(x, np.float64)
    return np.trunc(exact + np.copysign(0.5, exact))


def saturated(values: ArrayLike, q: Quantization) -> NDArray[np.integer]:
    """Return integers of a type, the outermost for what lies beyond."""
    return np.clip(values, *RANGES[q.dtype]).astype(q.dtype)
