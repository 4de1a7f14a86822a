"""Rows of a data set by class or by group, and the draw of a support and a query set from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.datasets.random import bits, choose

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLES, DRAWERS = 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Row numbers sorted by key: entry `i` owns `rows[starts[i] : starts[i] + counts[i]]`.

    Parameters
    ----------
    rows
        Rows of the data set (n,).
    starts, counts
        Where each entry lies (entries,).
    """

    rows: NDArray[np.uint32]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, keys: NDArray[Any], order: NDArray[Any] | None = None) -> tuple[Table, NDArray[Any]]:
        """Group rows by key, each group by `order` where given; returns the table and its sorted keys."""
        names, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
        rows = np.lexsort((inverse,) if order is None else (order, inverse))
        return cls(rows.astype(np.uint32), np.cumsum(counts) - counts, counts.astype(np.int64)), names

    def take(self, entries: NDArray[np.int64]) -> Table:
        """Return the table of some entries."""
        return Table(self.rows, self.starts[entries], self.counts[entries])

    def draw(
        self, seed: int, ids: NDArray[np.uint64], entries: NDArray[np.int64], shots: int, queries: int
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Draw disjoint support (n, shots) and query rows (n, queries), one entry per id."""
        picks = choose(seed, ids, SAMPLES, self.counts[entries], shots + queries)
        rows = self.rows[self.starts[entries][:, None] + picks]
        return rows[:, :shots], rows[:, shots:]

    def ends(
        self, entries: NDArray[np.int64], shots: int, queries: int
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Take the first `shots` and the last `queries` rows of each entry."""
        first = self.starts[entries][:, None]
        last = first + self.counts[entries][:, None] - queries
        return self.rows[first + np.arange(shots)], self.rows[last + np.arange(queries)]

    def draw_apart(
        self,
        seed: int,
        ids: NDArray[np.uint64],
        entries: NDArray[np.int64],
        shots: int,
        queries: int,
        *,
        in_support: NDArray[np.bool_],
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Draw the support from marked rows and the query from the others.

        Parameters
        ----------
        in_support
            Marks (n, largest count): may the k-th row of the entry go to the support set?
        """
        size = in_support.shape[1]
        absent = np.arange(size) >= self.counts[entries][:, None]
        # One sort puts the rows of the support side first, then those of the query side, both shuffled.
        side = np.where(absent, 2, np.where(in_support, 0, 1)).astype(np.uint64)
        keys = (side << np.uint64(62)) | (bits(seed, ids, SAMPLES, size) >> np.uint64(2))
        picks = np.argsort(keys, axis=1, kind="stable")
        middle = np.count_nonzero(side == 0, axis=1)[:, None]
        first = self.starts[entries][:, None]
        query = np.take_along_axis(picks, middle + np.arange(queries), axis=1)
        return self.rows[first + picks[:, :shots]], self.rows[first + query]
