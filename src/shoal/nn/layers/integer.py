"""What layers share that compute on int8 or uint8 values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import ConfigError
from shoal.nn.graph import QUANTIZED, Code, Derived, Op, Stored, Window
from shoal.nn.layers.base import ArraySpec, TrainableLayer
from shoal.nn.layers.fixed import check_fixed
from shoal.nn.quantization import activation_range, check_power_of_two, dense_numbers, is_fixed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from shoal.nn.graph import Graph, Ref
    from shoal.nn.layers.base import Layer, Place
    from shoal.nn.quantization import Quantization
    from shoal.nn.shapes import Shape

__all__ = [
    "check_fused",
    "check_quantized",
    "constant",
    "dequantize",
    "input_of",
    "limits",
    "quantized_arrays",
    "weigh",
]


def check_quantized(layer: TrainableLayer, activation: str | None) -> None:
    """Check what a layer with weights must be to compute on integers."""
    if layer.quantized is None:
        return
    check_power_of_two(layer.quantized)
    if is_fixed(layer.quantized):
        check_fixed(layer, activation)
        return
    if layer.quantized.dtype not in {"int8", "uint8"}:
        raise ConfigError(f"quantized is {layer.quantized.dtype}", hint="int8, uint8 or int16")
    check_fused(activation)
    dtype, zero = layer.quantized.dtype, layer.weights_zero_point
    if dtype == "uint8" and layer.trainable is not False:
        raise ConfigError("uint8 weights do not learn", hint="trainable=False, or int8")
    if not 0 <= zero <= (255 if dtype == "uint8" else 0):
        raise ConfigError(f"weights_zero_point {zero!r}", hint="0 for int8, 0 to 255 for uint8")


def check_fused(activation: str | None) -> None:
    """Refuse an activation that integers cannot be clamped to."""
    if activation not in (None, "relu", "relu6"):
        raise ConfigError(
            f"activation {activation!r} on integers", hint='None, "relu", "relu6", or nn.Activation after it'
        )


def input_of(layer: Layer, x: Ref) -> Quantization:
    """Return how the input of a layer that computes on integers is quantized."""
    if x.quantization is None:
        name = type(layer).__name__
        raise ConfigError(f"{name} is quantized, its input is float32", hint="nn.Quantize(...) before it")
    return x.quantization


def quantized_arrays(
    quantized: Quantization, weights: Shape, channels: int, *, bias: bool
) -> dict[str, ArraySpec]:
    """Return weights and bias as integers and the scales of the weights."""
    specs = {"weights": ArraySpec(weights, "zeros", dtype=quantized.dtype)}
    if bias:
        specs["bias"] = ArraySpec((channels,), "zeros", dtype="int32")
    return specs | {"scales": ArraySpec((channels,), "ones")}


def constant(numbers: NDArray[Any]) -> Derived:
    """Return constants that follow from no parameter."""
    return Derived(lambda _: numbers, (1, 1, numbers.size))


def limits(q: Quantization, activation: str | None = None) -> NDArray[np.int32]:
    """Return the least and the largest output of an operation without scales."""
    return np.array(activation_range(q, activation), np.int32)


def weigh(
    code: Code,
    layer: TrainableLayer,
    graph: Graph,
    x: Ref,
    place: Place,
    *,
    weights: tuple[int, int, int],
    out: Shape,
    activation: str | None,
    bias: bool,
    window: Window = Window(),  # noqa: B008 - a constant
) -> Ref:
    """Append sums of products of integers, rescaled to the layer's output."""
    given, wanted, channels = input_of(layer, x), layer.quantized, out[-1]
    assert wanted is not None  # noqa: S101 - for the type checker
    if given.dtype != wanted.dtype:
        raise ConfigError(f"{wanted.dtype} from {given.dtype}", hint="one integer type throughout")

    def numbers(arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        scales = arrays[f"{place.name}.scales"]
        return dense_numbers(given, scales, wanted, activation, dense=code == Code.DENSE)

    return graph.add(
        Op(
            QUANTIZED + code,
            place.number,
            x,
            graph.value(out, quantization=wanted),
            weights=Stored(f"{place.name}.weights", weights, layer.weights_zero_point),
            bias=Stored(f"{place.name}.bias", (1, 1, channels)) if bias else None,
            aux=Derived(numbers, (1, 1, 2 + 2 * channels)),
            window=window,
        )
    )


def dequantize(graph: Graph, x: Ref, place: Place) -> Ref:
    """Append the way back to float32; a float value stays as it is."""
    if x.quantization is None:
        return x
    out = graph.value(x.shape)
    return graph.add(Op(Code.DEQUANTIZE, place.number, x, out, numbers=(x.quantization.scale, 0.0)))
