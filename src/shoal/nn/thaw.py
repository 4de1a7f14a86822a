"""Makes the end of a quantized network learn: from the first layer that learns on, it computes in float32."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import ConfigError
from shoal.nn.layers.activation import Activation
from shoal.nn.layers.base import Layer, TrainableLayer
from shoal.nn.layers.conv import Conv2D
from shoal.nn.layers.dense import Dense
from shoal.nn.layers.lstm import LSTM
from shoal.nn.layers.pool import GlobalAveragePool2D
from shoal.nn.layers.quantize import Dequantize, Quantize
from shoal.nn.layers.residual import Residual
from shoal.nn.layers.svdf import SVDF
from shoal.nn.trace import map_layers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from shoal.nn.trace import Step

__all__ = ["dequantized_from", "with_float_answer"]


def dequantized_from(
    steps: Sequence[Step], first: int, layers: tuple[Layer, ...], arrays: Mapping[str, NDArray[Any]]
) -> tuple[tuple[Layer, ...], dict[str, NDArray[Any]]]:
    """Return layers and arrays that are float32 from step number `first` on.

    Weights become ``scale * (w - zero_point)``, a bias ``scale_of_input * scale_of_weights * b``: the same
    real numbers. Roundings between the layers fall away.

    Parameters
    ----------
    steps
        Of the network's trace.
    first
        Number of the first step that becomes float32.
    layers, arrays
        Of the network.
    """
    late = {step.name: step for step in steps[first:]}
    result: dict[str, NDArray[Any]] = {}
    quantized = {
        name
        for name, step in late.items()
        if isinstance(step.layer, TrainableLayer) and step.layer.quantized is not None
    }
    for key, array in arrays.items():
        name, _, part = key.rpartition(".")
        if name not in quantized:
            result[key] = array
        elif part != "scales":
            result[key] = real_array(late[name], part, array, arrays[f"{name}.scales"])

    for step in late.values():
        if isinstance(step.layer, LSTM | SVDF):
            raise ConfigError(
                f"nothing before {step.layer.kind} can learn", where=step.name, hint="train what follows it"
            )

    def change(layer: Layer) -> Layer:
        return in_float(layer) if layer.name in late else layer

    kept = drop(layers, lambda layer: isinstance(layer, Quantize) and layer.name in late)
    return map_layers(kept, change), result


def with_float_answer(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Return the layers with an answer in float32: a loss needs one.

    A quantized activation at the end is computed in float32 instead; integers of another layer are converted.
    """
    last = layers[-1]
    if isinstance(last, Quantize) and last.quantized.dtype in {"int16", "int32"}:
        return with_float_answer(layers[:-1])
    if isinstance(last, Activation):
        return (*layers[:-1], in_float(last))
    return layers if isinstance(last, Dequantize) else (*layers, Dequantize(name="dequantize"))


def real_array(step: Step, part: str, array: NDArray[Any], scales: NDArray[Any]) -> NDArray[np.float32]:
    """Return the weights or the bias of a quantized layer as real numbers, in the order of a float layer."""
    layer, q = step.layer, step.input.quantization
    assert isinstance(layer, TrainableLayer)  # noqa: S101 - for the type checker
    if part == "bias":
        scale = 1.0 if q is None else q.scale
        return (array * scales.astype(np.float64) * scale).astype(np.float32)
    values = array.astype(np.float64) - layer.weights_zero_point
    if isinstance(layer, Conv2D):
        values = values.transpose(1, 2, 3, 0)
    elif isinstance(layer, Dense):
        values = values.T
    else:
        scales = scales.reshape(values.shape[2:])
    return np.ascontiguousarray(values * scales, np.float32)


def in_float(layer: Layer) -> Layer:
    """Return the same layer, computed in float32."""
    if isinstance(layer, TrainableLayer):
        return replace(layer, quantized=None, weights_zero_point=0)
    if isinstance(layer, Activation | GlobalAveragePool2D):
        return replace(layer, quantized=None)
    if isinstance(layer, Residual) and layer.quantized is not None:
        ways, activation = (layer.layers, layer.shortcut), layer.activation
        return Residual(*ways[0], shortcut=ways[1], activation=activation, name=layer.name)
    return layer


def drop(layers: Sequence[Layer], unwanted: Callable[[Layer], bool]) -> tuple[Layer, ...]:
    """Return the layers without some of them, inside a Residual too."""
    result: list[Layer] = []
    for layer in layers:
        if unwanted(layer):
            continue
        if isinstance(layer, Residual):
            result.append(layer.with_ways(drop(layer.layers, unwanted), drop(layer.shortcut, unwanted)))
        else:
            result.append(layer)
    return tuple(result)
