"""Pools: the largest or the mean value of each window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import ConfigError
from shoal.nn.graph import Code, Op, Window
from shoal.nn.layers.base import Layer, Place
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
        "same" or "valid"; padding is never the largest value.
    """

    kind: ClassVar[str] = "max_pool2d"

    size: int | tuple[int, int] = 2
    stride: int | tuple[int, int] | None = None
    padding: Padding = "valid"

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
        "same" or "valid"; padding does not count in the mean.
    """

    kind: ClassVar[str] = "average_pool2d"

    size: int | tuple[int, int] = 2
    stride: int | tuple[int, int] | None = None
    padding: Padding = "valid"

    def check(self) -> None:
        """Raise ConfigError where an argument cannot be used."""
        Layer.check(self)
        check_pool(self)

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Append the operation."""
        return pool(self, Code.AVERAGE_POOL2D, graph, x, place)


@dataclass(frozen=True, slots=True, repr=False)
class GlobalAveragePool2D(Layer):
    """The mean of each channel: (height, width, channels) becomes (channels,)."""

    kind: ClassVar[str] = "global_average_pool2d"

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Append one average pool over the whole image."""
        height, width, channels = as_image(x.shape, "GlobalAveragePool2D")
        if height > 255 or width > 255:
            raise ConfigError(
                f"GlobalAveragePool2D takes at most 255 x 255, got {x.shape}",
                hint="nn.AveragePool2D() before it",
            )
        window = Window((height, width), (1, 1))
        out = graph.value((1, 1, channels))
        graph.add(Op(Code.AVERAGE_POOL2D, place.number, x, out, window=window))
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
    return graph.add(Op(code, place.number, x, graph.value((*out, shape[2])), window=window))
