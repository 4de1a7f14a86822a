"""Padding and resizing of (height, width, channels), in float32 or on integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import ConfigError
from shoal.nn.graph import QUANTIZED, Code, Op, Window
from shoal.nn.layers.base import Layer, Place
from shoal.nn.shapes import Shape, as_hwc, as_image, positive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.nn.graph import Graph, Ref

__all__ = ["Pad2D", "ResizeNearest"]

ALIGN_CORNERS, HALF_PIXEL_CENTERS = 1, 2


@dataclass(frozen=True, slots=True, repr=False)
class Pad2D(Layer):
    """Zeros around the values.

    Parameters
    ----------
    padding
        Rows and columns to add: top, left, bottom, right, each 0 to 255.
    channels
        To add before the first and after the last, each 0 to 255.

    Examples
    --------
    >>> from shoal import nn
    >>> nn.Network([Pad2D((1, 1, 1, 1))], input_shape=(4, 4, 2)).output_shape
    (6, 6, 2)
    """

    kind: ClassVar[str] = "pad2d"

    padding: tuple[int, int, int, int]
    channels: tuple[int, int] = (0, 0)

    @property
    def on_integers(self) -> bool:
        """Takes integers as they are."""
        return True

    def check(self) -> None:
        """Raise ConfigError where an argument cannot be used."""
        Layer.check(self)
        check_sizes(self.padding, 4, "padding")
        check_sizes(self.channels, 2, "channels")

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Append the operation."""
        height, width, channels = as_image(x.shape, "Pad2D")
        top, left, bottom, right = self.padding
        shape = (height + top + bottom, width + left + right, channels + sum(self.channels))
        window = Window(kernel=self.channels, padding=self.padding)
        return graph.add(move(Code.PAD, graph, x, place, shape, window))


@dataclass(frozen=True, slots=True, repr=False)
class ResizeNearest(Layer):
    """Another height and width; each value is the nearest one.

    Parameters
    ----------
    size
        Height and width.
    align_corners, half_pixel_centers
        Which positions lie on each other, as TensorFlow names them.
    """

    kind: ClassVar[str] = "resize_nearest"

    size: tuple[int, int]
    align_corners: bool = False
    half_pixel_centers: bool = False

    @property
    def on_integers(self) -> bool:
        """Takes integers as they are."""
        return True

    def check(self) -> None:
        """Raise ConfigError where an argument cannot be used."""
        Layer.check(self)
        if len(self.size) != 2:
            raise ConfigError(f"size must be (height, width), got {self.size!r}")
        for size in self.size:
            positive(size, "size", 1 << 14)
        if self.align_corners and self.half_pixel_centers:
            raise ConfigError("align_corners and half_pixel_centers exclude each other")

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Append the operation."""
        channels = as_image(x.shape, "ResizeNearest")[2]
        flags = ALIGN_CORNERS * self.align_corners | HALF_PIXEL_CENTERS * self.half_pixel_centers
        return graph.add(move(Code.RESIZE_NEAREST, graph, x, place, (*self.size, channels), Window(), flags))


def check_sizes(sizes: Sequence[object], count: int, what: str) -> None:
    """Check that there are so many sizes of padding."""
    if len(sizes) != count:
        raise ConfigError(f"{what} must be {count} integers, got {sizes!r}")
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= 255:
            raise ConfigError(f"{what} must be 0 to 255, got {size!r}")


def move(code: Code, graph: Graph, x: Ref, place: Place, shape: Shape, window: Window, groups: int = 0) -> Op:
    """Return an operation that only moves values, whatever their type."""
    q = x.quantization
    out = graph.value(as_hwc(shape), quantization=q)
    kind = int(code) if q is None else QUANTIZED + code
    return Op(kind, place.number, x, out, groups=groups, window=window)
