"""Shapes: ``(n,)`` for a flat value, ``(height, width, channels)`` for an image."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, cast

from shoal.errors import ConfigError
from shoal.nn.graph import Window

__all__ = ["Padding", "Shape", "as_hwc", "as_image", "as_shape", "pair", "positive", "windowed"]

Shape: TypeAlias = tuple[int, ...]
Padding: TypeAlias = Literal["same", "valid"] | tuple[int, int, int, int]

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
    around = padded(shape, kernel, stride, padding)
    out = [0, 0]
    for axis in (0, 1):
        size = shape[axis] + around[axis] + around[axis + 2]
        if size < kernel[axis]:
            raise ConfigError(
                f"kernel {kernel} is larger than the input {shape}", hint="padding='same' or a smaller kernel"
            )
        out[axis] = (size - kernel[axis]) // stride[axis] + 1
    return Window(kernel, stride, around), (out[0], out[1])


def padded(
    shape: tuple[int, int, int], kernel: tuple[int, int], stride: tuple[int, int], padding: Padding
) -> tuple[int, int, int, int]:
    """Return the rows and columns around the input: top, left, bottom, right."""
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "same":
        total = [
            max((-(-shape[axis] // stride[axis]) - 1) * stride[axis] + kernel[axis] - shape[axis], 0)
            for axis in (0, 1)
        ]
        return total[0] // 2, total[1] // 2, total[0] - total[0] // 2, total[1] - total[1] // 2
    given: object = padding
    sides = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else ()
    if len(sides) != 4:
        raise ConfigError(
            f"padding must be 'same' or 'valid', got {padding!r}", hint="or (top, left, bottom, right)"
        )
    for axis, side in enumerate(sides):
        # A window that lies in the padding alone would have nothing to compute.
        if isinstance(side, bool) or not hasattr(side, "__index__") or not 0 <= side < kernel[axis % 2]:
            raise ConfigError(
                f"padding {sides} must be integers of at least 0, less than the kernel {kernel}",
                hint="a larger kernel or less padding",
            )
    top, left, bottom, right = (int(side) for side in sides)
    return top, left, bottom, right
