"""Convolutions over (height, width, channels)."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import ConfigError
from shoal.nn.graph import Code, Op, Stored
from shoal.nn.initializers import check_initializer
from shoal.nn.layers.activation import ActivationName, activate, check_activation
from shoal.nn.layers.base import ArraySpec, Place, TrainableLayer
from shoal.nn.layers.integer import check_quantized, quantized_arrays, weigh
from shoal.nn.masks import Mask, as_mask
from shoal.nn.shapes import Padding, Shape, as_hwc, as_image, pair, positive, windowed

if TYPE_CHECKING:
    from shoal.nn.graph import Graph, Ref
    from shoal.nn.initializers import Initializer

__all__ = ["Conv2D", "DepthwiseConv2D"]


@dataclass(frozen=True, slots=True, repr=False)
class Conv2D(TrainableLayer):
    """A window of weights slides over the input; each output channel has its own.

    Parameters
    ----------
    filters
        Number of output channels.
    kernel, stride
        Of the window: one number, or height and width, 1 to 255.
    padding
        "same": as many outputs as ``ceil(size / stride)``; "valid": only where the window fits; or how many
        zeros lie around the input: (top, left, bottom, right), each less than the kernel.
    activation
        Name of the function of the sums, None for none.
    bias
        Whether a number is added to each output channel.
    init
        How the weights are drawn; the bias starts at 0.

    Examples
    --------
    >>> Conv2D(8, 3).arrays((28, 28, 1))["weights"].shape
    (3, 3, 1, 8)
    """

    kind: ClassVar[str] = "conv2d"

    filters: int
    kernel: int | tuple[int, int] = 3
    stride: int | tuple[int, int] = 1
    padding: Padding = "same"
    activation: ActivationName | None = None
    _: KW_ONLY
    bias: bool = True
    init: Initializer = "he_uniform"

    def check(self) -> None:
        """Raise ConfigError where an argument cannot be used."""
        TrainableLayer.check(self)
        positive(self.filters, "filters")
        check_window(self)

    def arrays(self, shape: Shape) -> dict[str, ArraySpec]:
        """Return weights (kernel height, kernel width, input channels, filters) and bias (filters,).

        Quantized weights are (filters, kernel height, kernel width, input channels).
        """
        kernel, channels = pair(self.kernel, "kernel"), shape[2]
        if self.quantized is not None:
            sizes = (self.filters, *kernel, channels)
            return quantized_arrays(self.quantized, sizes, self.filters, bias=self.bias)
        area = math.prod(kernel)
        spec = ArraySpec((*kernel, channels, self.filters), self.init, area * channels, area * self.filters)
        return with_bias(spec, self.filters, bias=self.bias)

    def macs(self, shape: Shape, out: Shape) -> int:
        """Return outputs times the values under one window."""
        return math.prod(out) * math.prod(pair(self.kernel, "kernel")) * shape[2]

    def mask(self, shape: Shape) -> Mask:
        """Return what learns."""
        del shape
        return as_mask(self.trainable, self.filters, bias=self.bias)

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Append the convolution and its activation."""
        channels = as_image(x.shape, "Conv2D")[2]
        area = math.prod(pair(self.kernel, "kernel"))
        if self.quantized is not None:
            return convolve(self, graph, x, place, (self.filters, area, channels))
        weights = (area, channels, self.filters)
        return convolve(self, graph, x, place, weights)


@dataclass(frozen=True, slots=True, repr=False)
class DepthwiseConv2D(TrainableLayer):
    """A window of weights for each input channel alone.

    Output channel ``c * multiplier + m`` reads input channel c.

    Parameters
    ----------
    kernel, stride
        Of the window: one number, or height and width, 1 to 255.
    padding
        "same": as many outputs as ``ceil(size / stride)``; "valid": only where the window fits; or how many
        zeros lie around the input: (top, left, bottom, right), each less than the kernel.
    multiplier
        Output channels of each input channel.
    activation
        Name of the function of the sums, None for none.
    bias
        Whether a number is added to each output channel.
    init
        How the weights are drawn; the bias starts at 0.

    Examples
    --------
    >>> DepthwiseConv2D(3).arrays((28, 28, 8))["weights"].shape
    (3, 3, 8, 1)
    """

    kind: ClassVar[str] = "depthwise_conv2d"

    kernel: int | tuple[int, int] = 3
    stride: int | tuple[int, int] = 1
    padding: Padding = "same"
    multiplier: int = 1
    activation: ActivationName | None = None
    _: KW_ONLY
    bias: bool = True
    init: Initializer = "he_uniform"

    def check(self) -> None:
        """Raise ConfigError where an argument cannot be used."""
        TrainableLayer.check(self)
        positive(self.multiplier, "multiplier")
        check_window(self)

    def arrays(self, shape: Shape) -> dict[str, ArraySpec]:
        """Return weights (kernel height, kernel width, channels, multiplier) and bias, by output channel."""
        kernel, channels = pair(self.kernel, "kernel"), shape[2]
        if self.quantized is not None:
            sizes = (*kernel, channels, self.multiplier)
            return quantized_arrays(self.quantized, sizes, channels * self.multiplier, bias=self.bias)
        area = math.prod(kernel)
        spec = ArraySpec((*kernel, channels, self.multiplier), self.init, area, area * self.multiplier)
        return with_bias(spec, channels * self.multiplier, bias=self.bias)

    def macs(self, shape: Shape, out: Shape) -> int:
        """Return outputs times the size of the window."""
        del shape
        return math.prod(out) * math.prod(pair(self.kernel, "kernel"))

    def mask(self, shape: Shape) -> Mask:
        """Return what learns."""
        return as_mask(self.trainable, shape[2] * self.multiplier, bias=self.bias)

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Append the convolution and its activation."""
        channels = as_image(x.shape, "DepthwiseConv2D")[2]
        weights = (1, math.prod(pair(self.kernel, "kernel")), channels * self.multiplier)
        return convolve(self, graph, x, place, weights)


def check_window(layer: Conv2D | DepthwiseConv2D) -> None:
    """Check what both convolutions share."""
    pair(layer.kernel, "kernel")
    pair(layer.stride, "stride")
    if layer.activation is not None:
        check_activation(layer.activation)
    if not isinstance(layer.bias, bool):
        raise ConfigError(f"bias must be True or False, got {layer.bias!r}")
    check_initializer(layer.init)
    check_quantized(layer, layer.activation)


def with_bias(weights: ArraySpec, channels: int, *, bias: bool) -> dict[str, ArraySpec]:
    """Return the arrays of a convolution."""
    return {"weights": weights} | ({"bias": ArraySpec((channels,), "zeros")} if bias else {})


def convolve(
    layer: Conv2D | DepthwiseConv2D, graph: Graph, x: Ref, place: Place, weights: tuple[int, int, int]
) -> Ref:
    """Append either convolution, whose weights have this shape in the image, and its activation."""
    code = Code.CONV2D if isinstance(layer, Conv2D) else Code.DEPTHWISE_CONV2D
    kernel, stride = pair(layer.kernel, "kernel"), pair(layer.stride, "stride")
    window, size = windowed(as_hwc(x.shape), kernel, stride, layer.padding)
    if layer.quantized is not None:
        filters = weights[0] if isinstance(layer, Conv2D) else weights[2]
        return weigh(
            code,
            layer,
            graph,
            x,
            place,
            weights=weights,
            out=(*size, filters),
            activation=layer.activation,
            bias=layer.bias,
            window=window,
        )
    filters = weights[2]
    bias = Stored(f"{place.name}.bias", (1, 1, filters)) if layer.bias else None
    out = graph.value((*size, filters))
    kept = Stored(f"{place.name}.weights", weights)
    y = graph.add(Op(code, place.number, x, out, weights=kept, bias=bias, window=window))
    return activate(graph, y, place, layer.activation)
