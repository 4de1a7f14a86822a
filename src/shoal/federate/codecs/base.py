"""What every codec answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Codec"]


@runtime_checkable
class Codec(Protocol):
    """How a row of numbers travels."""

    def encode(self, delta: ArrayLike, seed: int = 0) -> bytes:
        """Return the bytes that travel.

        Parameters
        ----------
        delta
            The numbers, shape (count,).
        seed
            Of rounding at random, where the codec does that; another one for each client and round.

        Raises
        ------
        DivergedError
            Where a number is not finite.
        """

    def decode(self, payload: bytes, count: int) -> NDArray[np.float32]:
        """Return the numbers, shape (count,), all finite.

        Raises
        ------
        InputError
            Where the bytes are not what `encode` makes of `count` numbers. Any bytes may be given.
        """

    def size(self, count: int) -> int:
        """Return the bytes that `count` numbers take."""
