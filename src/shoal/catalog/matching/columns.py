"""Rows of integers by id, in numpy columns that grow."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Columns", "key_of"]


class Columns:
    """A table of integers; a row keeps its number, the slot, for as long as it is there.

    Parameters
    ----------
    names
        Of the columns.

    Examples
    --------
    >>> columns = Columns("ram", "flash")
    >>> columns.put("a", 1024, 4096), columns.put("b", 2048, 8192)
    (0, 1)
    >>> columns.remove("a"), columns.put("c", 1, 2)
    (0, 0)
    >>> columns["ram"][:2].tolist(), columns.ids
    ([1, 2048], ['c', 'b'])
    """

    def __init__(self, *names: str) -> None:
        self.names = names
        self.ids: list[str | None] = []
        self.slots: dict[str, int] = {}
        self._free: list[int] = []
        self.values: NDArray[np.int64] = np.zeros((len(names), 64), np.int64)

    def __len__(self) -> int:
        return len(self.slots)

    def __getitem__(self, name: str) -> NDArray[np.int64]:
        column: NDArray[np.int64] = self.values[self.names.index(name)]
        return column

    def slot(self, id: str) -> int:
        """Return the slot of a row, a new one where it is not there."""
        slot = self.slots.get(id)
        if slot is None:
            slot = self._free.pop() if self._free else len(self.ids)
            if slot == len(self.ids):
                self.ids.append(id)
                if slot == self.values.shape[1]:
                    self.values = np.concatenate([self.values, np.zeros_like(self.values)], axis=1)
            self.ids[slot] = id
            self.slots[id] = slot
        return slot

    def put(self, id: str, *values: int) -> int:
        """Write a row; returns its slot."""
        slot = self.slot(id)
        self.values[:, slot] = values
        return slot

    def row(self, slot: int) -> list[int]:
        """Return the values of a row."""
        values: list[int] = self.values[:, slot].tolist()
        return values

    def remove(self, id: str) -> int | None:
        """Free the slot of a row; returns it, None where there is no such row."""
        slot = self.slots.pop(id, None)
        if slot is not None:
            self.ids[slot] = None
            self._free.append(slot)
        return slot

    def used(self) -> NDArray[np.int64]:
        """Return the slots that are in use, sorted."""
        mask = np.ones(len(self.ids), bool)
        mask[self._free] = False
        return np.flatnonzero(mask)

    def packed(self) -> tuple[list[str], NDArray[np.int64]]:
        """Return ids and values of the rows in use, (columns, rows)."""
        used = self.used()
        return [id for id in self.ids if id is not None], self.values[:, used]

    def load(self, ids: Sequence[str], values: NDArray[np.int64]) -> None:
        """Take over what :meth:`packed` gave."""
        self.ids, self._free = list(ids), []
        self.slots = {id: slot for slot, id in enumerate(ids)}
        self.values = np.array(values, np.int64) if len(ids) else np.zeros((len(self.names), 64), np.int64)


def key_of(id: str) -> int:
    """Return a number that puts rows of the same amount in an order: the same one everywhere.

    Examples
    --------
    >>> key_of("urn:dev:7") == key_of("urn:dev:7") != key_of("urn:dev:8")
    True
    """
    return int.from_bytes(blake2b(id.encode(), digest_size=8).digest()) >> 1
