"""How windows lie over an image: padding that files leave to be worked out, and rows to repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from shoal.nn.importers.errors import ModelError
from shoal.nn.shapes import pair

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Padding", "Sides", "as_sides", "nearest", "reaching", "two"]

Sides: TypeAlias = tuple[int, int, int, int]
Padding: TypeAlias = Sides | Literal["same_upper", "same_lower"]


def two(sizes: Sequence[int], missing: int = 1) -> tuple[int, int]:
    """Return (height, width) of one or two numbers; `missing` is the height of a row."""
    if len(sizes) not in {1, 2}:
        raise ModelError(f"{tuple(sizes)} where height and width were expected")
    height, width = (missing, *sizes)[-2:]
    return height, width


def as_sides(
    padding: Padding, shape: tuple[int, int, int], kernel: tuple[int, int], stride: tuple[int, int]
) -> Sides:
    """Return the rows and columns of padding: top, left, bottom, right."""
    pair(stride, "stride")
    if not isinstance(padding, str):
        return padding
    before, after = [0, 0], [0, 0]
    for axis in (0, 1):
        outputs = -(-shape[axis] // stride[axis])
        total = max((outputs - 1) * stride[axis] + kernel[axis] - shape[axis], 0)
        small, large = total // 2, total - total // 2
        before[axis], after[axis] = (small, large) if padding == "same_upper" else (large, small)
    return before[0], before[1], after[0], after[1]


def reaching(
    sides: Sides, shape: tuple[int, int, int], size: tuple[int, int], stride: tuple[int, int]
) -> Sides:
    """Return the padding with which the last window that begins inside the input is a whole one."""
    after = [0, 0]
    for axis in (0, 1):
        before, length = sides[axis], shape[axis] + sides[axis] + sides[axis + 2]
        # A window that begins in the padding at the end has nothing to look at.
        inside = (shape[axis] + before - 1) // stride[axis]
        last = min(-(-(length - size[axis]) // stride[axis]), inside)
        after[axis] = max(last * stride[axis] + size[axis] - shape[axis] - before, 0)
    return sides[0], sides[1], after[0], after[1]


def nearest(size: int, outputs: int, *, corners: bool, centers: bool) -> list[int]:
    """Return which of so many rows each output is nearest to, in float32 as the runtime takes it."""
    aligned = corners and outputs > 1
    scale = (
        np.float32(size - 1) / np.float32(outputs - 1) if aligned else np.float32(size) / np.float32(outputs)
    )
    at = (np.arange(outputs, dtype=np.float32) + np.float32(0.5 * centers)) * scale + np.float32(
        0.5 * corners
    )
    return [int(row) for row in np.minimum(at.astype(np.int64), size - 1)]
