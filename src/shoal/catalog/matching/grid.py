"""Devices in order of their memory, counted beforehand in a grid of RAM and flash.

How many devices of some groups have at least so much RAM and so much flash: a grid of both, cut at quantiles,
holds for each cell and each group how many are there or beyond. Of the two strips that the amounts cut
through, each row is compared. So a million devices are counted with a look at some twenty thousand, however
their memory is distributed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Grid"]

CELLS = 1 << 23  # of the grid at most, all groups together: 32 MB
CELLS_PER_ROW = 16
FINEST = 96  # cuts in each direction
CHUNK = 1 << 11  # rows that are compared at first
GONE = -3  # an amount that is less than whatever is needed


class Order(NamedTuple):
    """Rows sorted by one amount: the slots, and their amounts and groups in that order."""

    slots: NDArray[np.int64]
    ram: NDArray[np.int64]
    flash: NDArray[np.int64]
    groups: NDArray[np.int64]
    places: NDArray[np.int64]  # of a slot, -1 where it is not here


class Grid:
    """An index of rows that stay as they are; a row can be taken out.

    Parameters
    ----------
    slots
        Numbers of the rows.
    ram, flash, groups, keys
        Columns by slot; keys put rows of the same amount in order.
    count
        How many groups there are.
    """

    def __init__(
        self,
        slots: NDArray[np.int64],
        ram: NDArray[np.int64],
        flash: NDArray[np.int64],
        groups: NDArray[np.int64],
        keys: NDArray[np.int64],
        count: int,
    ) -> None:
        self.count = count
        self.by_ram = ordered(slots, ram, flash, groups, (-keys, ram))
        self.by_flash = ordered(slots, ram, flash, groups, (-keys, ram, flash))
        cells = min(CELLS, CELLS_PER_ROW * len(slots))
        finest = max(1, min(FINEST, int((cells / max(1, count)) ** 0.5) - 1))
        self.ram_cuts = cuts(self.by_ram.ram, finest)
        self.flash_cuts = cuts(self.by_flash.flash, finest)
        self.ram_starts = np.searchsorted(self.by_ram.ram, self.ram_cuts)
        self.flash_starts = np.searchsorted(self.by_flash.flash, self.flash_cuts)
        self.cells = counted(self.by_ram, self.ram_cuts, self.flash_cuts, count)
        by_group = np.argsort(self.by_ram.groups, kind="stable")
        self.of_group = by_group
        self.group_starts = np.searchsorted(self.by_ram.groups[by_group], np.arange(count + 1))

    def remove(self, slot: int) -> None:
        """Take a row out, if it is here."""
        if slot >= len(self.by_ram.places) or self.by_ram.places[slot] < 0:
            return
        a, b = int(self.by_ram.places[slot]), int(self.by_flash.places[slot])
        flash = int(self.by_ram.flash[a])
        if flash == GONE:
            return
        r = int(np.searchsorted(self.ram_cuts, self.by_ram.ram[a], "right"))
        f = int(np.searchsorted(self.flash_cuts, flash, "right"))
        self.cells[: f + 1, : r + 1, self.by_ram.groups[a]] -= 1
        self.by_ram.flash[a] = GONE
        self.by_flash.ram[b] = GONE

    def number(self, ram: int, flash: int, groups: NDArray[np.bool_]) -> int:
        """Return how many rows of these groups have at least so much of both."""
        groups = groups[: self.count]
        by_ram, by_flash = self.by_ram, self.by_flash
        r, r_rows = strip(ram, self.ram_cuts, self.ram_starts, by_ram.ram)
        f, f_rows = strip(flash, self.flash_cuts, self.flash_starts, by_flash.flash)
        total = (
            int(self.cells[f, r][groups].sum())
            if r <= len(self.ram_cuts) and f <= len(self.flash_cuts)
            else 0
        )
        total += int(np.count_nonzero((by_ram.flash[r_rows] >= flash) & groups[by_ram.groups[r_rows]]))
        if r <= len(self.ram_cuts):
            beyond = by_flash.ram[f_rows] >= self.ram_cuts[r - 1]
            total += int(np.count_nonzero(beyond & groups[by_flash.groups[f_rows]]))
        return total

    def rows(
        self, ram: int, flash: int, groups: NDArray[np.bool_], limit: int | None, count: int
    ) -> NDArray[np.int64]:
        """Return the slots of such rows, those with most RAM first.

        Parameters
        ----------
        limit
            No more than so many; None: all.
        count
            About how many there are: it decides where they are looked for.
        """
        order = self.by_ram
        low = int(np.searchsorted(order.ram, ram))
        if limit is None:
            return order.slots[low:][self._hits(slice(low, None), flash, groups)][::-1]
        groups = groups[: self.count]
        size = len(order.slots)
        high = int(np.searchsorted(self.by_flash.flash, flash))
        sizes = np.diff(self.group_starts)[groups]
        downward = (size - low) * min(1.0, limit / max(1, count))
        fewest = min(downward, 2.0 * (size - high), 3.0 * int(sizes.sum()) + 4096)
        if fewest == downward:
            return self._downward(size, low, limit, flash, groups)
        if fewest == 2.0 * (size - high):
            places = order.places[self.by_flash.slots[high:]]
        else:
            places = self.of_group[ranges(self.group_starts[:-1][groups], sizes)]
        places = places[places >= low]
        hits = places[(order.flash[places] >= flash) & groups[order.groups[places]]]
        hits.sort()
        return order.slots[hits[::-1][:limit]]

    def below(self, ram: int, flash: int, groups: NDArray[np.bool_], limit: int) -> NDArray[np.int64]:
        """Return the slots of rows with less RAM, those with most of it first."""
        high = int(np.searchsorted(self.by_ram.ram, ram))
        return self._downward(high, 0, limit, flash, groups)

    def below_flash(self, ram: int, flash: int, groups: NDArray[np.bool_], limit: int) -> NDArray[np.int64]:
        """Return the slots of rows with less flash, those with most of it first."""
        order = self.by_flash
        found: list[NDArray[np.int64]] = []
        end, left, size = int(np.searchsorted(order.flash, flash)), limit, CHUNK
        while end > 0 and left > 0:
            rows = slice(max(0, end - size), end)
            hits = np.flatnonzero((order.ram[rows] >= ram) & groups[order.groups[rows]])
            found.append(order.slots[rows][hits[::-1][:left]])
            left, end, size = left - len(hits), rows.start, 2 * size
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def _hits(self, rows: slice, flash: int, groups: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which rows of a slice have the flash and are of the groups."""
        hits: NDArray[np.bool_] = (self.by_ram.flash[rows] >= flash) & groups[self.by_ram.groups[rows]]
        return hits

    def _downward(
        self, end: int, low: int, limit: int, flash: int, groups: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Return the slots of the last hits before a place, from there downward."""
        found: list[NDArray[np.int64]] = []
        left, size = limit, CHUNK
        while end > low and left > 0:
            rows = slice(max(low, end - size), end)
            hits = np.flatnonzero(self._hits(rows, flash, groups))
            found.append(self.by_ram.slots[rows][hits[::-1][:left]])
            left, end, size = left - len(hits), rows.start, 2 * size
        return np.concatenate(found) if found else np.empty(0, np.int64)


def ordered(
    slots: NDArray[np.int64],
    ram: NDArray[np.int64],
    flash: NDArray[np.int64],
    groups: NDArray[np.int64],
    by: tuple[NDArray[np.int64], ...],
) -> Order:
    """Return rows sorted by columns, the last one first."""
    order = slots[np.lexsort(tuple(column[slots] for column in by))]
    places = np.full(len(ram), -1, np.int64)
    places[order] = np.arange(len(order))
    return Order(order, ram[order], flash[order], groups[order], places)


def ranges(starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers of several ranges.

    Examples
    --------
    >>> ranges(np.array([3, 8]), np.array([2, 3]))
    array([ 3,  4,  8,  9, 10])
    """
    ends = np.cumsum(sizes)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + sizes, sizes)


def cuts(amounts: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return amounts that cut sorted ones into parts of the same size, and those right after heavy ones.

    Examples
    --------
    >>> cuts(np.array([1, 2, 3, 4, 5, 6, 7, 8]), 4)
    array([1, 3, 5, 7])
    """
    if not len(amounts):
        return np.empty(0, np.int64)
    return np.unique(amounts[np.arange(count) * len(amounts) // count])


def counted(
    order: Order, ram_cuts: NDArray[np.int64], flash_cuts: NDArray[np.int64], groups: int
) -> NDArray[np.int32]:
    """Return how many rows are at or beyond each pair of cuts, (flash cuts + 1, RAM cuts + 1, groups)."""
    shape = (len(flash_cuts) + 1, len(ram_cuts) + 1, groups)
    f = np.searchsorted(flash_cuts, order.flash, "right")
    r = np.searchsorted(ram_cuts, order.ram, "right")
    cell = (f * shape[1] + r) * groups + order.groups
    cells = np.bincount(cell, minlength=shape[0] * shape[1] * shape[2]).astype(np.int32).reshape(shape)
    for axis in (0, 1):
        cells = np.flip(np.cumsum(np.flip(cells, axis), axis, dtype=np.int32), axis)
    return np.ascontiguousarray(cells)


def strip(
    need: int, cuts: NDArray[np.int64], starts: NDArray[np.int64], amounts: NDArray[np.int64]
) -> tuple[int, slice]:
    """Return the first part whose rows all have what is needed, and the rows before it that have it."""
    cut = int(np.searchsorted(cuts, need))
    end = int(starts[cut]) if cut < len(cuts) else len(amounts)
    begin = int(starts[cut - 1]) if cut > 0 else 0
    return cut + 1, slice(begin + int(np.searchsorted(amounts[begin:end], need)), end)
