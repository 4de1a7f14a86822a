"""Shapes: ``(n,)`` for a flat value, ``(height, width, channels)`` for an image."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, cast

from shoal.errors import ConfigError
from shoal.nn.graph import Window

__all__ = ["Padding", "Shape", "as_hwc", "as_image", "as_shape", "pair", "positive", "windowed"]

Shape: TypeAlias = tuple[int, ...]
Padding: TypeAlias = Literal["same", "valid"]

LARGEST = 1 << 28


def as_hwc(shape: Shape) -> tuple[int, int, int]:
    """Return the three numbers that the image format holds."""
    if len(shape) == 1:
        return 1, 1, shape[0]
    height, width, channels = shape
    return height, width, channels


def positive(number: object, what: str, largest: int = LARGEST) -> int:
    """Return ``number`` where it is an integer in 1..largest."""
    if isinstance(number, bool) or not hasattr(number, "__index__"):
        raise ConfigError(f"{what} must be an integer, got {number!r}")
    value = int(number.__index__())
    if not 1 <= value <= largest:
        raise ConfigError(f"{what} must be 1 to {largest:,}, got {value:,}")
    return value


def as_shape(shape: object, what: str = "shape") -> Shape:
    """Return a checked shape of one or three sizes."""
    try:
        sizes = tuple(cast("Iterable[Any]", shape))
    except TypeError:
        raise ConfigError(
            f"{what} must be a tuple, got {shape!r}", hint=f"({shape},) for a flat value" if shape else None
        ) from None
    if len(sizes) not in {1, 3}:
        raise ConfigError(
            f"{what} must have 1 or 3 sizes, got {sizes!r}", hint="(n,) or (height, width, channels)"
        )
    total = 1
    for size in sizes:
        total *= positive(size, f"each size of {what}")
    if total > LARGEST:
        raise ConfigError(f"{what} {sizes!r} has {total:,} values, more than {LARGEST:,}")
    return tuple(int(size) for size in sizes)


def as_image(shape: Shape, layer: str) -> tuple[int, int, int]:
    """Return the shape of an image, or say how to make one."""
    if len(shape) != 3:
        raise ConfigError(
            f"{layer} takes (height, width, channels), got {shape}",
            hint="nn.Reshape((height, width, channels)) before it",
        )
    return as_hwc(shape)


def pair(size: int | Iterable[int], what: str) -> tuple[int, int]:
    """Return (height, width) from one number or two, each 1 to 255."""
    if isinstance(size, str | bytes):
        raise ConfigError(f"{what} must be an integer or two, got {size!r}")
    both = tuple(size) if isinstance(size, Iterable) else (size, size)
    if len(both) != 2:
        raise ConfigError(f"{what} must be an integer or two, got {size!r}", hint="3 or (3, 3)")
    return positive(both[0], what, 255), positive(both[1], what, 255)


def windowed(
    shape: tuple[int, int, int], kernel: tuple[int, int], stride: tuple[int, int], padding: Padding
) -> tuple[Window, tuple[int, int]]:
    """Return the window and the (height, width) that it slides out.

    "same" yields ``ceil(size / stride)`` outputs, an odd row or column of padding at the bottom or right.
    """
    if padding not in ("same", "valid"):
        raise ConfigError(f"padding must be 'same' or 'valid', got {padding!r}")
    before, after, out = [0, 0], [0, 0], [0, 0]
    for axis in (0, 1):
        size, width, step = shape[axis], kernel[axis], stride[axis]
        if padding == "same":
            out[axis] = -(-size // step)
            total = max((out[axis] - 1) * step + width - size, 0)
            before[axis], after[axis] = total // 2, total - total // 2
        elif size < width:
            raise ConfigError(
                f"kernel {kernel} is larger than the input {shape}", hint="padding='same' or a smaller kernel"
            )
        else:
            out[axis] = (size - width) // step + 1
    return Window(kernel, stride, (before[0], before[1], after[0], after[1])), (out[0], out[1])
