"""All devices, with an index that follows every change at once.

Most rows are in a :class:`Grid`, which does not change but for rows that are taken out. A row that is new or
changed is in the *tail*, which is compared row by row. When the tail is long, a new grid is made of
everything, for large fleets in the background.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from shoal.catalog.matching.columns import Columns, key_of
from shoal.catalog.matching.grid import GONE, Grid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from shoal.catalog.matching.checking import Facts
    from shoal.catalog.matching.traits import Traits

__all__ = ["Fleet"]

SHORTEST_TAIL = 4096
TAIL = 64  # of so many devices one may be in the tail
SMALL = 1 << 15  # devices that are sorted at once
FINISH = 32  # changes that are followed while nobody else reads


class Fleet:
    """The devices.

    Parameters
    ----------
    traits
        Knows the groups.
    lock
        Held by whoever reads or writes.
    """

    def __init__(self, traits: Traits, lock: threading.RLock) -> None:
        self.traits = traits
        self.lock = lock
        self.columns = Columns("ram", "flash", "group", "key", "board")
        self._changed: set[int] = set()  # since the copy was taken that the next grid is made of
        self._merging: threading.Thread | None = None
        self._epoch = 0  # a grid that was begun before many rows were put is of no use
        self._in_tail: set[int] = set()
        self._buffer = np.empty(64, np.int64)
        self._length = 0
        self.grid = self._grid(*self._copy())

    def put(self, id: str, facts: Facts, board: int = 0) -> None:
        """Add a device, or change it."""
        with self.lock:
            slot = self.columns.slot(id)
            self._touch(slot)
            self._write(id, facts, board)
            self._trim()

    def put_many(self, devices: Iterable[tuple[str, Facts, int]]) -> None:
        """Add or change many devices; the index is made once, afterwards."""
        with self.lock:
            self._epoch += 1
            for id, facts, board in devices:
                self._write(id, facts, board)
            self._swap(self._grid(*self._copy()), set())

    def remove(self, id: str) -> None:
        """Remove a device; nothing happens where there is none."""
        with self.lock:
            slot = self.columns.remove(id)
            if slot is not None:
                self._touch(slot)
                self.columns["ram"][slot] = GONE

    def number(self, ram: int, flash: int, groups: NDArray[np.bool_]) -> int:
        """Return how many devices of these groups have at least so much free RAM and flash."""
        return self.grid.number(ram, flash, groups) + len(self._tail_hits(ram, flash, groups))

    def rows(
        self,
        ram: int,
        flash: int,
        groups: NDArray[np.bool_],
        offset: int = 0,
        limit: int | None = None,
        count: int | None = None,
    ) -> NDArray[np.int64]:
        """Return the slots of such devices, those with most RAM first; faster where their count is known."""
        most = None if limit is None else offset + limit
        if most is not None and count is None:
            count = self.grid.number(ram, flash, groups)
        found = self.grid.rows(ram, flash, groups, most, count or 0)
        extra = self._tail_hits(ram, flash, groups)
        if len(extra):
            found = self.sorted(np.concatenate([found, extra]))
        return found[offset:most]

    def short_of_ram(self, ram: int, flash: int, groups: NDArray[np.bool_], limit: int) -> NDArray[np.int64]:
        """Return the slots of devices that are short of RAM alone, those with most of it first."""
        found, tail = self.grid.below(ram, flash, groups, limit), self._tail
        if not len(tail):
            return found
        columns = self.columns
        hits = (
            (columns["ram"][tail] < ram) & (columns["ram"][tail] > GONE) & (columns["flash"][tail] >= flash)
        )
        hits &= groups[columns["group"][tail]]
        return self.sorted(np.concatenate([found, tail[hits]]))[:limit]

    def short_of_flash(
        self, ram: int, flash: int, groups: NDArray[np.bool_], limit: int
    ) -> NDArray[np.int64]:
        """Return the slots of devices that are short of flash alone, those with most of it first."""
        found, tail = self.grid.below_flash(ram, flash, groups, limit), self._tail
        if not len(tail):
            return found
        columns = self.columns
        hits = (columns["ram"][tail] >= ram) & (columns["flash"][tail] < flash)
        hits &= groups[columns["group"][tail]]
        return self.sorted(np.concatenate([found, tail[hits]]), "flash")[:limit]

    def sorted(self, slots: NDArray[np.int64], *first: str) -> NDArray[np.int64]:
        """Return slots in the order of answers: by columns, then by RAM, most first, then by key."""
        by = [self.columns["key"][slots], *(-self.columns[name][slots] for name in ("ram", *reversed(first)))]
        return slots[np.lexsort(by)]

    def ids(self, slots: NDArray[np.int64]) -> list[str]:
        """Return the ids of slots in use."""
        ids = self.columns.ids
        return [id for slot in slots.tolist() if (id := ids[slot]) is not None]

    def facts(self, slot: int) -> Facts:
        """Return what a device has."""
        columns = self.columns
        return self.traits.facts(
            int(columns["group"][slot]), int(columns["ram"][slot]), int(columns["flash"][slot])
        )

    def settle(self) -> None:
        """Wait until no grid is being made; not to be called by who holds the lock."""
        thread = self._merging
        if thread is not None:
            thread.join()

    def _tail_hits(self, ram: int, flash: int, groups: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the slots of the tail that have at least so much."""
        tail, columns = self._tail, self.columns
        if not len(tail):
            return tail
        hits = (columns["ram"][tail] >= ram) & (columns["flash"][tail] >= flash)
        return tail[hits & groups[columns["group"][tail]]]

    def _write(self, id: str, facts: Facts, board: int) -> None:
        self.columns.put(id, facts.ram, facts.flash, self.traits.group(facts), key_of(id), board)

    def _touch(self, slot: int) -> None:
        """Move a row from the grid to the tail, before it changes."""
        self._changed.add(slot)
        if slot not in self._in_tail:
            self.grid.remove(slot)
            self._in_tail.add(slot)
            if self._length == len(self._buffer):
                self._buffer = np.concatenate([self._buffer, np.empty_like(self._buffer)])
            self._buffer[self._length] = slot
            self._length += 1

    @property
    def _tail(self) -> NDArray[np.int64]:
        return self._buffer[: self._length]

    def _trim(self) -> None:
        """Make a new grid if the tail is long."""
        if self._merging is not None or self._length <= max(SHORTEST_TAIL, len(self.columns) // TAIL):
            return
        if len(self.columns) <= SMALL:
            self._swap(self._grid(*self._copy()), set())
            return
        self._changed = set()
        self._merging = threading.Thread(
            target=self._merge, args=(self._epoch, *self._copy()), name="shoal-matching", daemon=True
        )
        self._merging.start()

    def _merge(self, epoch: int, slots: NDArray[np.int64], values: NDArray[np.int64]) -> None:
        """Make a new grid of all rows; what changes meanwhile is its tail."""
        try:
            grid = self._grid(slots, values)
            gone: set[int] = set()
            while len(more := self._changed.copy() - gone) > FINISH:
                for slot in more:
                    grid.remove(slot)
                gone |= more
            with self.lock:
                if epoch == self._epoch:
                    self._swap(grid, self._changed)
        finally:
            self._merging = None

    def _copy(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the slots in use and the columns, which may go on changing."""
        return self.columns.used(), self.columns.values

    def _grid(self, slots: NDArray[np.int64], values: NDArray[np.int64]) -> Grid:
        """Return a grid of rows; those that change meanwhile may be read half."""
        ram, flash, groups, keys, _ = values.copy()
        return Grid(slots, ram, flash, groups, keys, len(self.traits.groups.keys))

    def _swap(self, grid: Grid, changed: set[int]) -> None:
        """Use a grid from now on, with these rows in the tail."""
        for slot in changed:
            grid.remove(slot)
        self.grid = grid
        self._in_tail = set(changed)
        self._buffer = np.resize(np.array(sorted(changed), np.int64), max(64, 2 * len(changed)))
        self._length = len(changed)
