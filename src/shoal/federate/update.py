"""How the server folds what arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Mean", "moved"]


class Mean:
    """The weighted mean of changes, one after the other in the order of the clients, in float32.

    A single change of weight 1 comes out with the same bits.

    Parameters
    ----------
    count
        Values of a change.

    Examples
    --------
    >>> mean = Mean(2)
    >>> mean.add(np.array([1, 2], np.float32), 1)
    >>> mean.add(np.array([3, 6], np.float32), 1)
    >>> mean.value()
    array([2., 4.], dtype=float32)
    """

    def __init__(self, count: int) -> None:
        self._total = np.zeros(count, np.float32)
        self._weight = np.float32(0)

    def add(self, change: NDArray[np.float32], weight: float) -> None:
        """Add one change; what overflows stays so, for :func:`moved` to refuse."""
        with np.errstate(over="ignore", invalid="ignore"):
            self._total += change if weight == 1 else np.float32(weight) * change
        self._weight += np.float32(weight)

    def value(self) -> NDArray[np.float32] | None:
        """Return the mean, None of nothing."""
        return self._total / self._weight if self._weight > 0 else None


def moved(
    parameters: NDArray[np.float32], places: NDArray[np.intp] | None, change: NDArray[np.float32], rate: float
) -> bool:
    """Move parameters in place: p = p + rate * change, in float32, as the runtime does it in serial runs.

    Parameters
    ----------
    parameters
        (parameters,).
    places
        Which of them move; None for all.
    change
        One for each of these.
    rate
        Of the server.

    Returns
    -------
    False where a value would not be finite: nothing has moved then.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        new = (parameters if places is None else parameters[places]) + np.float32(rate) * change
    if not np.isfinite(new).all():
        return False
    parameters[slice(None) if places is None else places] = new
    return True
