"""Quantizes a trained network: ranges of its values on samples become scales and zero points."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from shoal.errors import ConfigError
from shoal.learn.fixed_point import to_fixed_point
from shoal.learn.samples import as_samples
from shoal.nn import (
    Activation,
    AveragePool2D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    GlobalAveragePool2D,
    MaxPool2D,
    Network,
    Pad2D,
    Quantization,
    Reshape,
    Residual,
    ResizeNearest,
)
from shoal.runtime import Executor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from shoal.nn import Layer

__all__ = ["quantize"]

Range = tuple[float, float]
PASSING = (AveragePool2D, Flatten, GlobalAveragePool2D, MaxPool2D, Pad2D, Reshape, ResizeNearest)
WEIGHTED = (Conv2D, Dense, DepthwiseConv2D)
# Answers of known range have the scales that TensorFlow Lite gives them.
FIXED = {
    "softmax": Quantization("int8", 1 / 256, -128),
    "sigmoid": Quantization("int8", 1 / 256, -128),
    "tanh": Quantization("int8", 1 / 128, 0),
}
LARGEST_BIAS = 2**31 - 1


def quantize(network: Network, x: ArrayLike, dtype: Literal["int8", "int16"] = "int8") -> Network:
    """Return the network on integers: int8 to be small, or int16 to learn without an FPU.

    On int8 it is frozen; weights get one scale for each output channel, symmetric, activations the range that
    the samples show. On int16 it learns what it learnt before, in fixed point with int32 weights.

    Parameters
    ----------
    network
        In float32, of layers that compute on integers: Dense, Conv2D, DepthwiseConv2D, pools, Residual,
        activations, Flatten, Reshape, Pad2D, ResizeNearest; on int16 Dense, relu, softmax, Flatten, Reshape.
    x
        Samples (n, ...) such as the device will see; a hundred are usually enough.
    dtype
        Of the values.

    Raises
    ------
    ConfigError
        Where a layer does not compute on these integers, or a weight is too large for them.
    InputError
        Where the samples do not fit.

    References
    ----------
    Jacob et al., Quantization and training of neural networks for efficient integer-arithmetic-only inference
    (2018), section 2 and equations 2 to 6.

    Examples
    --------
    >>> import numpy as np
    >>> from shoal import learn, nn
    >>> net = nn.Network([nn.Dense(8, "relu"), nn.Dense(2, "softmax")], (4,), loss="cross_entropy", seed=0)
    >>> x = np.random.default_rng(0).normal(size=(100, 4))
    >>> on_integers = learn.quantize(net, x)
    >>> apart = learn.Learner(on_integers).predict_many(x) - learn.Learner(net).predict_many(x)
    >>> bool(np.abs(apart).max() < 0.05)
    True
    """
    samples = as_samples(network, x)
    if network.input_quantization is not None:
        raise ConfigError("the network computes on integers already", where="quantize")
    layers, arrays, probe = split(network.layers), dict(network.arrays), Probe(network, samples)
    if dtype == "int8":
        given = from_range(span(samples))
        result, quantized = probe.convert(layers, (), arrays, given)
    elif dtype == "int16":
        result, quantized, given = to_fixed_point(layers, arrays, span(samples), probe.range_after)
    else:
        raise ConfigError(f"unknown integer type {dtype!r}", where="quantize", hint='"int8" | "int16"')
    return Network.from_arrays(result, network.input_shape, network.loss, network.seed, quantized, given)


def split(layers: Sequence[Layer]) -> list[Layer]:
    """Return the layers with each activation that cannot be a clamp as a layer of its own."""
    result: list[Layer] = []
    for layer in layers:
        if isinstance(layer, Residual):
            ways = (split(layer.layers), split(layer.shortcut))
            result.append(layer.with_ways(*ways))
        elif isinstance(layer, WEIGHTED) and layer.activation not in (None, "relu", "relu6"):
            result.append(replace(layer, activation=None))
            result.append(Activation(layer.activation, name=f"{layer.name}_{layer.activation}"))
        else:
            result.append(layer)
    return result


def span(values: NDArray[Any]) -> Range:
    """Return least and largest value, 0 among them."""
    return min(float(values.min()), 0.0), max(float(values.max()), 0.0)


def from_range(values: Range) -> Quantization:
    """Return the int8 quantization of a range that holds 0."""
    least, largest = values
    scale = float(np.float32(max((largest - least) / 255, 1e-8)))
    return Quantization("int8", scale, int(np.clip(round(-128 - least / scale), -128, 127)))


class Probe:
    """Runs the beginnings of a network on samples, to see the range of each value."""

    def __init__(self, network: Network, samples: NDArray[Any]) -> None:
        self.network = network
        self.samples = samples

    def range_after(self, layers: Sequence[Layer]) -> Range:
        """Return the range of what these first layers answer."""
        arrays = self.network.arrays
        probe = Network(layers, self.network.input_shape)
        for name in probe.arrays:
            probe.arrays[name] = arrays[name]
        executor = Executor(probe.plan(None).image())
        return span(np.array([executor.predict(sample) for sample in self.samples]))

    def convert(
        self,
        layers: Sequence[Layer],
        before: tuple[Layer, ...],
        arrays: Mapping[str, NDArray[Any]],
        given: Quantization,
    ) -> tuple[list[Layer], dict[str, NDArray[Any]]]:
        """Return layers and arrays on integers, of layers that follow those `before`."""
        result: list[Layer] = []
        quantized: dict[str, NDArray[Any]] = {}
        q = given
        for layer in layers:
            if isinstance(layer, PASSING):
                result.append(layer)
            elif isinstance(layer, Residual):
                branch, more = self.convert(layer.layers, before, arrays, q)
                shortcut, most = self.convert(layer.shortcut, before, arrays, q)
                quantized |= more | most
                q = from_range(self.range_after((*before, layer)))
                result.append(layer.with_ways(branch, shortcut, quantized=q))
            elif isinstance(layer, Activation):
                q = FIXED.get(layer.function) or from_range(self.range_after((*before, layer)))
                result.append(replace(layer, quantized=q))
            elif isinstance(layer, WEIGHTED):
                wanted = from_range(self.range_after((*before, layer)))
                result.append(replace(layer, quantized=wanted, trainable=False))
                quantized |= weights(layer, arrays, q)
                q = wanted
            else:
                raise ConfigError(
                    f"{type(layer).__name__} does not compute on integers", where=f"layer '{layer.name}'"
                )
            before = (*before, layer)
        return result, quantized


def weights(
    layer: Conv2D | Dense | DepthwiseConv2D, arrays: Mapping[str, NDArray[Any]], given: Quantization
) -> dict[str, NDArray[Any]]:
    """Return the arrays of one layer on integers."""
    values = np.asarray(arrays[f"{layer.name}.weights"], np.float64)
    depthwise = isinstance(layer, DepthwiseConv2D)
    rows = values.reshape(-1, values.shape[2] * values.shape[3] if depthwise else values.shape[-1])
    scales = np.maximum(np.abs(rows).max(axis=0) / 127, 1e-10).astype(np.float32)
    codes = np.clip(np.round(rows / scales), -127, 127).astype(np.int8).reshape(values.shape)
    if isinstance(layer, Conv2D):
        codes = codes.transpose(3, 0, 1, 2)
    elif isinstance(layer, Dense):
        codes = codes.T
    result = {f"{layer.name}.weights": np.ascontiguousarray(codes), f"{layer.name}.scales": scales}
    if layer.bias:
        bias = np.round(arrays[f"{layer.name}.bias"] / (scales.astype(np.float64) * given.scale))
        result[f"{layer.name}.bias"] = np.clip(bias, -LARGEST_BIAS, LARGEST_BIAS).astype(np.int32)
    return result
