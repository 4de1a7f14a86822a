"""Pools: the largest or the mean value of each window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import ConfigError
from shoal.nn.graph import QUANTIZED, Code, Op, Window
from shoal.nn.layers.base import Layer, Place
from shoal.nn.layers.integer import constant, input_of, limits
from shoal.nn.quantization import Quantization, mean_numbers
from shoal.nn.shapes import Padding, as_image, pair, windowed

if TYPE_CHECKING:
    from shoal.nn.graph import Graph, Ref

__all__ = ["AveragePool2D", "GlobalAveragePool2D", "MaxPool2D"]


@dataclass(frozen=True, slots=True, repr=False)
class MaxPool2D(Layer):
    """The largest value of each window, channel by channel.

    Parameters
    ----------
    size
        Of the window: one number, or height and width, 1 to 255.
    stride
        Of the window, None for its size.
    padding
        "same", "valid" or (top, left, bottom, right), less than the window; it is never the largest value.
    """

    kind: ClassVar[str] = "max_pool2d"

    size: int | tuple[int, int] = 2
    stride: int | tuple[int, int] | None = None
    padding: Padding = "valid"

    @property
    def on_integers(self) -> bool:
        """Takes integers as they are."""
        return True

    def check(self) -> None:
        """Raise ConfigError where an argument cannot be used."""
        Layer.check(self)
        check_pool(self)

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Append the operation."""
        return pool(self, Code.MAX_POOL2D, graph, x, place)


@dataclass(frozen=True, slots=True, repr=False)
class AveragePool2D(Layer):
    """The mean value of each window, channel by channel.

    Parameters
    ----------
    size
        Of the window: one number, or height and width, 1 to 255.
    stride
        Of the window, None for its size.
    padding
        "same", "valid" or (top, left, bottom, right), less than the window; it does not count in the mean.
    """

    kind: ClassVar[str] = "average_pool2d"

    size: int | tuple[int, int] = 2
    stride: int | tuple[int, int] | None = None
    padding: Padding = "valid"

    @property
    def on_integers(self) -> bool:
        """Takes integers as they are."""
        return True

    def check(self) -> None:
        """Raise ConfigError where an argument cannot be used."""
        Layer.check(self)
        check_pool(self)

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Append the operation."""
        return pool(self, Code.AVERAGE_POOL2D, graph, x, place)


@dataclass(frozen=True, slots=True, repr=False)
class GlobalAveragePool2D(Layer):
    """The mean of each channel: (height, width, channels) becomes (channels,).

    Parameters
    ----------
    quantized
        How the mean of integers is rescaled; None: it keeps their scale.
    """

    kind: ClassVar[str] = "global_average_pool2d"

    quantized: Quantization | None = None

    @property
    def on_integers(self) -> bool:
        """Takes integers as they are."""
        return True

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Append one average pool over the whole image."""
        height, width, channels = as_image(x.shape, "GlobalAveragePool2D")
        if height > 255 or width > 255:
            raise ConfigError(
                f"GlobalAveragePool2D takes at most 255 x 255, got {x.shape}",
                hint="nn.AveragePool2D() before it",
            )
        if self.quantized is not None:
            given = input_of(self, x)
            numbers = constant(mean_numbers(given, self.quantized, height * width))
            out = graph.value((1, 1, channels), quantization=self.quantized)
            graph.add(Op(QUANTIZED + Code.MEAN, place.number, x, out, aux=numbers))
        else:
            out = slide(Code.AVERAGE_POOL2D, graph, x, place, (1, 1), Window((height, width), (1, 1)))
        return out._replace(shape=(channels,))


def check_pool(layer: MaxPool2D | AveragePool2D) -> None:
    """Check what both pools share."""
    pair(layer.size, "size")
    if layer.stride is not None:
        pair(layer.stride, "stride")


def pool(layer: MaxPool2D | AveragePool2D, code: Code, graph: Graph, x: Ref, place: Place) -> Ref:
    """Append either pool."""
    shape = as_image(x.shape, type(layer).__name__)
    size = pair(layer.size, "size")
    stride = size if layer.stride is None else pair(layer.stride, "stride")
    window, out = windowed(shape, size, stride, layer.padding)
    return slide(code, graph, x, place, out, window)


def slide(code: Code, graph: Graph, x: Ref, place: Place, size: tuple[int, int], window: Window) -> Ref:
    """Append a pool with an output of this height and width, in float32 or on integers."""
    q = x.quantization
    out = graph.value((*size, x.shape[2]), quantization=q)
    if q is None:
        return graph.add(Op(code, place.number, x, out, window=window))
    return graph.add(Op(QUANTIZED + code, place.number, x, out, aux=constant(limits(q)), window=window))
