"""What layers share that compute in fixed point: int16 values, int32 weights, no floating-point operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import ConfigError, InputError
from shoal.nn.graph import QUANTIZED, Code, Op, Stored
from shoal.nn.layers.base import ArraySpec, TrainableLayer
from shoal.nn.quantization import PROBABILITY, Quantization, is_fixed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from shoal.nn.graph import Graph, Ref
    from shoal.nn.initializers import Initializer
    from shoal.nn.layers.base import Place

__all__ = [
    "LARGEST_WEIGHT",
    "WEIGHT_BITS",
    "activate_fixed",
    "as_weights",
    "check_fixed",
    "check_weights",
    "fixed_arrays",
    "refuse_int16",
    "weigh_fixed",
]

WEIGHT_BITS = 28
LARGEST_WEIGHT = 4.0
LIMIT = int(LARGEST_WEIGHT * 2**WEIGHT_BITS)
UPPER_BITS = WEIGHT_BITS - 16
MOST_TERMS = 65536
ON_INT16 = {Code.REQUANTIZE, *(QUANTIZED + code for code in (Code.DENSE, Code.RELU, Code.SOFTMAX))}
HINT = 'Dense with activation None or "relu", Flatten, Reshape, and softmax at the end'


def as_weights(values: ArrayLike) -> NDArray[np.int32]:
    """Return real numbers as weights of 28 fraction bits, those beyond 4 as the outermost.

    Examples
    --------
    >>> as_weights([0.5, -4.0, 9.0])
    array([  134217728, -1073741824,  1073741823], dtype=int32)
    """
    codes = np.round(np.asarray(values, np.float64) * 2**WEIGHT_BITS)
    held: NDArray[np.int32] = np.clip(codes, -LIMIT, LIMIT - 1).astype(np.int32)
    return held


def check_weights(weights: NDArray[np.int32], name: str) -> None:
    """Refuse weights so large that sums could overflow."""
    if weights.size and not (weights.min() >= -LIMIT and weights.max() < LIMIT):
        raise InputError(
            f"a weight is beyond {LARGEST_WEIGHT:g}, in fixed point", where=name, hint="-2**30 to 2**30 - 1"
        )


def growth(n: int) -> int:
    """Return how far each of n products is shifted right for their sum to fit."""
    return max(0, (n - 1).bit_length() - 1)


def check_fixed(layer: TrainableLayer, activation: str | None) -> None:
    """Check what a layer with weights must be to compute on int16."""
    if layer.kind != "dense" or activation not in (None, "relu"):
        what = type(layer).__name__ if layer.kind != "dense" else f"activation {activation!r}"
        raise ConfigError(f"{what} on int16", hint=HINT)
    if layer.weights_zero_point != 0:
        raise ConfigError(f"weights_zero_point {layer.weights_zero_point!r}", hint="0 for int16")


def fixed_arrays(inputs: int, units: int, init: Initializer, *, bias: bool) -> dict[str, ArraySpec]:
    """Return weights (inputs, units) and bias (units,) as int32 of 28 fraction bits."""
    specs = {"weights": ArraySpec((inputs, units), init, inputs, units, "int32", WEIGHT_BITS)}
    if bias:
        specs["bias"] = ArraySpec((units,), "zeros", dtype="int32", bits=WEIGHT_BITS)
    return specs


def weigh_fixed(
    layer: TrainableLayer,
    graph: Graph,
    x: Ref,
    place: Place,
    *,
    units: int,
    activation: str | None,
    bias: bool,
) -> Ref:
    """Append weighted sums of int16 values and their activation."""
    given, wanted, inputs = x.quantization, layer.quantized, x.shape[0]
    assert wanted is not None  # noqa: S101 - for the type checker
    if not is_fixed(given):
        raise ConfigError(
            f"int16 from {'float32' if given is None else given.dtype}",
            hint='input_quantization=nn.Quantization("int16", 2**-12, 0)',
        )
    if inputs > MOST_TERMS or growth(inputs) + wanted.fraction_bits >= given.fraction_bits + UPPER_BITS:
        raise ConfigError(
            f"{inputs:,} inputs of {given.fraction_bits} fraction bits are too many for an answer of "
            f"{wanted.fraction_bits}",
            hint="fewer inputs, or a larger scale of the answer",
        )
    if growth(units) >= UPPER_BITS:
        raise ConfigError(f"{units:,} units on int16", hint="at most 4,096")
    y = graph.add(
        Op(
            QUANTIZED + Code.DENSE,
            place.number,
            x,
            graph.value((units,), quantization=wanted),
            weights=Stored(f"{place.name}.weights", (1, inputs, units)),
            bias=Stored(f"{place.name}.bias", (1, 1, units)) if bias else None,
        )
    )
    return y if activation is None else activate_fixed(graph, y, place, activation, wanted)


def activate_fixed(graph: Graph, x: Ref, place: Place, function: str, wanted: Quantization) -> Ref:
    """Append relu or softmax."""
    codes = {"relu": (Code.RELU, x.quantization), "softmax": (Code.SOFTMAX, PROBABILITY)}
    if function not in codes:
        raise ConfigError(f"activation {function!r} on int16", hint=HINT)
    code, answer = codes[function]
    if wanted != answer:
        raise ConfigError(f"{function} gives {wanted}", hint=f"quantized=nn.{answer}")
    return graph.add(Op(QUANTIZED + code, place.number, x, graph.value(x.shape, quantization=wanted)))


def refuse_int16(ops: Iterable[Op], layer: str) -> None:
    """Refuse operations that do not compute on int16 but would read or write it."""
    for op in ops:
        refs = (ref.quantization for ref in (op.x, op.x2, op.out))
        wide = {q.dtype for q in refs if q is not None} & {"int16", "int32"}
        if wide and op.code not in ON_INT16:
            raise ConfigError(f"{layer} does not compute on {min(wide)}", hint=HINT)
