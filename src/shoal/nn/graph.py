"""A network as a list of operations on values that are each written once.

Layers lower themselves to forward operations; :mod:`shoal.nn.autodiff` appends those that learn.
A value has no place in memory yet: :mod:`shoal.nn.liveness` and :mod:`shoal.nn.placement` give it one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shoal.nn.quantization import GRADIENT, is_fixed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from shoal.nn.quantization import Quantization
    from shoal.nn.shapes import Shape

__all__ = [
    "BACKWARD",
    "NOTHING",
    "QUANTIZED",
    "Code",
    "Derived",
    "Graph",
    "Op",
    "Ref",
    "Remembered",
    "Stored",
    "Window",
]


class Code(IntEnum):
    """Forward and loss operations of the image format.

    The backward one of n is ``BACKWARD + n``, the one on integers ``QUANTIZED + n``.
    """

    DENSE = 1
    CONV2D = 2
    DEPTHWISE_CONV2D = 3
    MAX_POOL2D = 4
    AVERAGE_POOL2D = 5
    ADD = 6
    RELU = 7
    RELU6 = 8
    LEAKY_RELU = 9
    TANH = 10
    SIGMOID = 11
    SOFTMAX = 12
    GROUP_NORM = 13
    STANDARDIZE = 14
    PAD = 15
    RESIZE_NEAREST = 16
    QUANTIZE = 17
    DEQUANTIZE = 18
    LOOKUP = 19
    MEAN = 20
    CLAMP = 21
    REQUANTIZE = 22
    SVDF = 23
    LSTM = 24
    MSE = 32
    BCE = 33
    CROSS_ENTROPY = 34


BACKWARD = 64
QUANTIZED = 128


class Ref(NamedTuple):
    """A value, read or written with this shape; several shapes of one value share its memory.

    Without quantization it is float32.
    """

    value: int
    shape: Shape
    grows: bool = False
    quantization: Quantization | None = None


NOTHING = Ref(-1, ())


class Stored(NamedTuple):
    """An array that outlives one sample, a parameter or running statistics, with the shape of its tensor."""

    name: str
    shape: tuple[int, int, int]
    zero_point: int = 0


class Remembered(NamedTuple):
    """What an operation keeps of earlier samples, with the shape of its tensor; zero_point at first."""

    name: str
    shape: tuple[int, int, int]
    dtype: str = "float32"
    zero_point: int = 0


class Derived(NamedTuple):
    """Constants that follow from the parameters, such as multipliers, with the shape of their tensor."""

    make: Callable[[Mapping[str, NDArray[Any]]], NDArray[Any]]
    shape: tuple[int, int, int]


class Window(NamedTuple):
    """How a convolution or pool slides: (height, width) twice, then top, left, bottom, right."""

    kernel: tuple[int, int] = (0, 0)
    stride: tuple[int, int] = (0, 0)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)


NO_WINDOW = Window()


@dataclass(frozen=True, slots=True)
class Op:
    """One operation; the fields are those of the image's record (IMAGE.md), NOTHING where it has none."""

    code: int
    layer: int
    x: Ref
    out: Ref
    x2: Ref = NOTHING
    weights: Stored | None = None
    bias: Stored | None = None
    aux: Ref | Stored | Derived | None = None
    flags: int = 0
    groups: int = 0
    window: Window = NO_WINDOW
    runs: tuple[tuple[int, int], ...] = ()
    numbers: tuple[float, float] = (0.0, 0.0)
    memories: tuple[Remembered, ...] = ()  # the first in the place of x2, the second in that of the bias

    def reads(self) -> list[int]:
        """Return the values that must still hold what was written to them."""
        refs = [self.x, self.x2]
        # A forward GroupNorm writes its aux; every backward operation reads it.
        if isinstance(self.aux, Ref) and self.code >= BACKWARD:
            refs.append(self.aux)
        return [ref.value for ref in refs if ref is not NOTHING]

    def writes(self) -> list[int]:
        """Return the values that come into being."""
        refs = [self.out]
        if isinstance(self.aux, Ref) and self.code < BACKWARD:
            refs.append(self.aux)
        return [ref.value for ref in refs if ref is not NOTHING]


@dataclass(slots=True)
class Graph:
    """Operations in order and the words of four bytes of each value; value 0 is the sample."""

    sizes: list[int] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)

    def value(self, shape: Shape, *, grows: bool = False, quantization: Quantization | None = None) -> Ref:
        """Return a new value."""
        size = math.prod(shape)
        bytes_each = 4 if quantization is None else np.dtype(quantization.dtype).itemsize
        self.sizes.append(-(-size * bytes_each // 4))
        return Ref(len(self.sizes) - 1, shape, grows, quantization)

    def like(self, ref: Ref) -> Ref:
        """Return a new value of the same shape, as a gradient is: float32, or int16 of int16."""
        q = GRADIENT if is_fixed(ref.quantization) else None
        return self.value(ref.shape, grows=ref.grows, quantization=q)

    def add(self, op: Op) -> Ref:
        """Append an operation and return its output."""
        self.ops.append(op)
        return op.out

    def fork(self) -> Graph:
        """Return a graph of the same values without operations, to continue in."""
        return Graph(list(self.sizes), [])
