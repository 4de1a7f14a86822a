"""How often the windows of convolutions and pools meet their input, along one axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shoal.nn import Operation, Tensor

__all__ = ["Axis", "axes"]


@dataclass(frozen=True, slots=True)
class Axis:
    """Height or width of a window that slides over an input.

    Parameters
    ----------
    size, out
        Positions of the input and of the output.
    kernel, stride, padding
        Of the window; the padding before the input.
    """

    size: int
    out: int
    kernel: int
    stride: int
    padding: int

    def inside(self) -> list[int]:
        """Return how many kernel positions lie inside the input, for each output.

        Examples
        --------
        >>> Axis(size=4, out=4, kernel=3, stride=1, padding=1).inside()
        [2, 3, 3, 2]
        """
        return [end - first for first, end in self.ranges()]

    def ranges(self) -> list[tuple[int, int]]:
        """Return the first kernel position inside the input and that after the last, for each output."""
        starts = [position * self.stride - self.padding for position in range(self.out)]
        return [(max(0, -start), min(self.kernel, self.size - start)) for start in starts]

    def outputs(self) -> list[int]:
        """Return how many outputs put a kernel position inside the input, for each kernel position."""
        return [
            sum(0 <= position * self.stride + k - self.padding < self.size for position in range(self.out))
            for k in range(self.kernel)
        ]

    def windows(self) -> list[int]:
        """Return how many windows each input lies in."""
        starts = [position * self.stride - self.padding for position in range(self.out)]
        return [sum(0 <= position - start < self.kernel for start in starts) for position in range(self.size)]


def axes(operation: Operation, large: Tensor, small: Tensor) -> tuple[Axis, Axis]:
    """Return height and width of an operation's window over a large tensor that gives a small one."""
    return (
        Axis(large.shape[0], small.shape[0], operation.kernel[0], operation.stride[0], operation.padding[0]),
        Axis(large.shape[1], small.shape[1], operation.kernel[1], operation.stride[1], operation.padding[1]),
    )
