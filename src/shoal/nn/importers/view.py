"""How a file orders the values that a network holds as (height, width, channels).

A view is the file's shape together with the steps that each of its axes takes through the value in memory.
Transposing and reshaping change the view alone: nothing moves, and the weights that come next are permuted.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from shoal.nn.importers.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from shoal.nn.shapes import Shape

__all__ = ["View", "contiguous"]

Axis: TypeAlias = tuple[tuple[int, int], ...]


class View(NamedTuple):
    """Axes in the file's order, each as (size, stride) from the outermost to the innermost step.

    Examples
    --------
    >>> pixels = contiguous((1, 2, 3, 4)).transposed((0, 3, 1, 2))  # channels first, over (2, 3, 4) in memory
    >>> pixels.reshaped((1, 24)).indices()[0, :7]
    array([ 0,  4,  8, 12, 16, 20,  1])
    """

    axes: tuple[Axis, ...]

    @property
    def shape(self) -> Shape:
        """Shape in the file."""
        return tuple(math.prod(size for size, _ in axis) for axis in self.axes)

    @property
    def is_plain(self) -> bool:
        """Whether the file's order is the one in memory."""
        return len(merged(step for axis in self.axes for step in axis)) <= 1 and self.innermost == 1

    @property
    def innermost(self) -> int:
        """Stride of the last step, 1 for a single value."""
        return next((axis[-1][1] for axis in reversed(self.axes) if axis), 1)

    def transposed(self, order: Sequence[int]) -> View:
        """Return the view with its axes in another order.

        Raises
        ------
        ModelError
            Where `order` is no permutation of the axes.
        """
        if sorted(order) != list(range(len(self.axes))):
            raise ModelError(f"axes {tuple(order)} are no order of those of {self.shape}")
        return View(tuple(self.axes[axis] for axis in order))

    def reshaped(self, shape: Shape) -> View:
        """Return the view with another shape over the same values in the same order.

        Raises
        ------
        ModelError
            Where the number of values differs, or an axis would take steps of different lengths.
        """
        if min(shape, default=1) < 1 or math.prod(shape) != math.prod(self.shape):
            raise ModelError(f"cannot reshape {self.shape} to {shape}")
        left = list(merged(step for axis in self.axes for step in axis))[::-1]
        axes: list[Axis] = []
        for size in shape:
            axis: list[tuple[int, int]] = []
            missing = size
            while missing > 1:
                count, stride = left.pop()
                if count > missing and count % missing == 0:
                    rest = count // missing
                    left.append((rest, stride))
                    count, stride = missing, stride * rest
                if missing % count:
                    raise ModelError(
                        f"the reshape of {self.shape} to {shape} cuts across axes held in another order"
                    )
                axis.append((count, stride))
                missing //= count
            axes.append(merged(axis))
        return View(tuple(axes))

    def indices(self) -> NDArray[np.int64]:
        """Return for each value in the file its place in memory."""
        places = np.zeros((), np.int64)
        for axis in self.axes:
            for size, stride in axis:
                places = places[..., np.newaxis] + stride * np.arange(size)
        return places.reshape(self.shape)


def contiguous(shape: Shape) -> View:
    """Return the view of values that lie in memory as the file has them."""
    axes: list[Axis] = []
    stride = 1
    for size in reversed(shape):
        axes.append(((size, stride),) if size > 1 else ())
        stride *= size
    return View(tuple(reversed(axes)))


def merged(steps: Iterable[tuple[int, int]]) -> Axis:
    """Return the same steps, each as long as it can be."""
    result: list[tuple[int, int]] = []
    for size, stride in steps:
        if size == 1:
            continue
        if result and result[-1][1] == size * stride:
            result[-1] = (result[-1][0] * size, stride)
        else:
            result.append((size, stride))
    return tuple(result)
