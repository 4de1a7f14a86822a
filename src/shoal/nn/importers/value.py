"""Values between steps: where the network holds them, and how the file orders them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.view import View

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.nn.shapes import Shape

__all__ = ["Value", "channels_first", "spread"]

LONGEST_SPREAD = 1 << 20


class Value(NamedTuple):
    """A value: the step that makes it, its shape in the network, how the file sees it with a batch of 1."""

    number: int
    shape: Shape
    view: View


def channels_first(view: View) -> View:
    """Return (1, ..., channels) as (1, channels, ...)."""
    last = len(view.axes) - 1
    return view.transposed([0, last, *range(1, last)])


def spread(x: Value, constant: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a constant, broadcast to the file's shape: by channel, or by value where a channel's differ."""
    shape, channels = x.view.shape, x.shape[-1]
    if constant.size == 1 and constant.ndim <= len(shape):
        return np.full(channels, constant.reshape(()))
    sizes = (1,) * (len(shape) - constant.ndim) + constant.shape
    if len(sizes) != len(shape) or any(
        size not in {1, whole} for size, whole in zip(sizes, shape, strict=True)
    ):
        raise ModelError(f"a constant of {constant.shape} does not go with {shape}")
    along = [axis for axis, size in enumerate(sizes) if size > 1]
    if len(along) == 1 and x.view.axes[along[0]] == ((channels, 1),):
        return constant.reshape(-1)
    if math.prod(shape) > LONGEST_SPREAD:
        raise ModelError(f"a constant for each value of {shape}, at most {LONGEST_SPREAD:,} are possible")
    values = np.empty(math.prod(shape))
    values[x.view.indices().reshape(-1)] = np.broadcast_to(constant, shape).reshape(-1)
    rows = values.reshape(-1, channels)
    return rows[0] if (rows == rows[0]).all() else values
