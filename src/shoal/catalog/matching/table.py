"""Which of the distinct things that are had meet which of the distinct needs: each pair is judged once."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Table"]

UNKNOWN = 2

N = TypeVar("N", bound=Hashable)
H = TypeVar("H", bound=Hashable)


class Table(Generic[N, H]):
    """Needs, haves, and whether they meet, found out when it is first asked.

    Parameters
    ----------
    meets
        Whether a need is met by what is had.

    Examples
    --------
    >>> table = Table(lambda need, have: have >= need)
    >>> few, many = table.have(3), table.have(8)
    >>> table.row(table.need(5)).tolist()
    [False, True]
    """

    def __init__(self, meets: Callable[[N, H], bool]) -> None:
        self.meets = meets
        self.needs: list[N] = []
        self.haves: list[H] = []
        self._need: dict[N, int] = {}
        self._have: dict[H, int] = {}
        self._cells: NDArray[np.uint8] = np.full((8, 8), UNKNOWN, np.uint8)

    def need(self, need: N) -> int:
        """Return the number of a need; a new one gets the next."""
        number = self._need.setdefault(need, len(self.needs))
        if number == len(self.needs):
            self.needs.append(need)
            self._grow()
        return number

    def have(self, have: H) -> int:
        """Return the number of something that is had."""
        number = self._have.setdefault(have, len(self.haves))
        if number == len(self.haves):
            self.haves.append(have)
            self._grow()
        return number

    def _grow(self) -> None:
        """Make room for all pairs."""
        rows, columns = self._cells.shape
        if len(self.needs) > rows or len(self.haves) > columns:
            larger = (max(rows, 2 * len(self.needs)), max(columns, 2 * len(self.haves)))
            cells = np.full(larger, UNKNOWN, np.uint8)
            cells[:rows, :columns] = self._cells
            self._cells = cells

    def row(self, need: int) -> NDArray[np.bool_]:
        """Return which haves meet a need, by their numbers."""
        cells = self._cells[need, : len(self.haves)]
        for have in np.flatnonzero(cells == UNKNOWN):
            cells[have] = self.meets(self.needs[need], self.haves[have])
        return cells.view(np.bool_)

    def column(self, have: int) -> NDArray[np.bool_]:
        """Return which needs are met by something, by their numbers."""
        cells = self._cells[: len(self.needs), have].copy()
        for need in np.flatnonzero(cells == UNKNOWN):
            cells[need] = self._cells[need, have] = self.meets(self.needs[need], self.haves[have])
        return cells.view(np.bool_)

    def matrix(self) -> NDArray[np.bool_]:
        """Return all of it, (needs, haves)."""
        for need in np.flatnonzero(
            (self._cells[: len(self.needs), : len(self.haves)] == UNKNOWN).any(axis=1)
        ):
            self.row(int(need))
        return self._cells[: len(self.needs), : len(self.haves)].view(np.bool_)
