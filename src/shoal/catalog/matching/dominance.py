"""How many points lie beyond each of many others, in two amounts, and are of a kind that suits.

Pairs are not compared one by one. Both sides are cut into blocks by each amount; blocks that lie beyond
altogether are counted by group, and only pairs within a block are compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Points", "beyond"]

BLOCKS = 256


class Points(NamedTuple):
    """Points: two amounts, and the number of a class or a group."""

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    kind: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64] | slice) -> Points:
        """Return some of them."""
        return Points(self.x[rows], self.y[rows], self.kind[rows])


def beyond(needs: Points, haves: Points, suits: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return for each need how many haves have at least as much of both, and suit.

    Parameters
    ----------
    needs, haves
        The points; their kinds are rows and columns of `suits`.
    suits
        Which groups of haves suit which classes of needs.

    Examples
    --------
    >>> needs = Points(np.array([2, 5]), np.array([1, 1]), np.array([0, 0]))
    >>> haves = Points(np.array([1, 3, 9]), np.array([4, 4, 4]), np.array([0, 0, 1]))
    >>> beyond(needs, haves, np.array([[True, True]])), beyond(needs, haves, np.array([[True, False]]))
    (array([2, 1]), array([1, 0]))
    """
    counts = np.zeros(len(needs.x), np.int64)
    if not len(needs.x) or not len(haves.x):
        return counts
    order, by_x = np.argsort(-needs.x, kind="stable"), np.argsort(-haves.x, kind="stable")
    needs, haves = needs.take(order), haves.take(by_x)
    cuts = np.unique(np.sort(haves.y)[np.arange(BLOCKS) * len(haves.y) // BLOCKS])
    # Part p of the haves lies between cuts p - 1 and p; a need has all parts from `part` on, and a
    # piece of the one before.
    parts = np.searchsorted(cuts, haves.y, "right")
    part = np.searchsorted(cuts, needs.y) + 1
    # Single precision counts exactly up to 2^24, and is twice as fast.
    real: type[np.floating[Any]] = np.float32 if len(haves.x) < 1 << 24 else np.float64
    suitable = suits.astype(real)
    table = np.zeros((len(cuts) + 2, suits.shape[1]), real)
    sums = np.zeros_like(table)
    size = -(-len(needs.x) // BLOCKS)
    block_of_have = np.empty(len(haves.x), np.int64)
    done = 0
    for block, start in enumerate(range(0, len(needs.x), size)):
        rows = slice(start, min(start + size, len(needs.x)))
        some = needs.take(rows)
        # Both go from much to little: these have enough x for all needs of the block, those for some.
        whole = int(np.searchsorted(-haves.x, -some.x[0], "right"))
        partly = slice(whole, int(np.searchsorted(-haves.x, -some.x[-1], "right")))
        np.add.at(table, (parts[done:whole], haves.kind[done:whole]), 1)
        block_of_have[done:whole] = block
        done = whole
        for row in range(len(cuts), -1, -1):  # faster than a sum along the first axis
            np.add(sums[row + 1], table[row], out=sums[row])
        together: NDArray[Any] = np.einsum("ij,ij->i", sums[part[rows]], suitable[some.kind])
        counts[rows] = together
        counts[rows] += compared(some, haves.take(partly), suits)
    block_of_have[done:] = BLOCKS
    block_of_need = np.arange(len(needs.x)) // size
    counts += strips(
        needs, haves, suits, Points(part - 1, block_of_need, part), Points(parts, block_of_have, parts), cuts
    )
    result = np.empty_like(counts)
    result[order] = counts
    return result


def strips(
    needs: Points,
    haves: Points,
    suits: NDArray[np.bool_],
    of_need: Points,
    of_have: Points,
    cuts: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the counts of the parts that needs cut through, of haves with enough x for a need's block.

    `of_need` and `of_have` hold the part and the block of each.
    """
    counts = np.zeros(len(needs.x), np.int64)
    need_rows, have_rows = np.argsort(of_need.x, kind="stable"), np.argsort(of_have.x, kind="stable")
    need_ends = np.searchsorted(of_need.x[need_rows], np.arange(len(cuts) + 2))
    have_ends = np.searchsorted(of_have.x[have_rows], np.arange(len(cuts) + 2))
    for part in range(len(cuts) + 1):
        rows = need_rows[need_ends[part] : need_ends[part + 1]]
        others = have_rows[have_ends[part] : have_ends[part + 1]]
        if part > 0:
            # A need of this part asks for more than the cut that it begins with.
            others = others[haves.y[others] > cuts[part - 1]]
        if len(rows) and len(others):
            some = Points(-of_need.y[rows], needs.y[rows], needs.kind[rows])
            these = Points(-of_have.y[others], haves.y[others], haves.kind[others])
            counts[rows] = compared(some, these, suits)
    return counts


def compared(needs: Points, haves: Points, suits: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the same by comparing each pair, so many at a time that they stay in the cache."""
    counts = np.zeros(len(needs.x), np.int64)
    step = max(1, (1 << 20) // max(1, len(needs.x)))
    for start in range(0, len(haves.x), step):
        some = haves.take(slice(start, start + step))
        pairs = (some.x >= needs.x[:, None]) & (some.y >= needs.y[:, None])
        pairs &= suits[needs.kind][:, some.kind]
        counts += np.count_nonzero(pairs, axis=1)
    return counts
