"""In which order a device meets its samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shoal.datasets.random import bits

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["stream_order"]

# Streams of the random numbers of a run; those of the data sets are small numbers.
POSITION, SHUFFLE = 1 << 34, (1 << 34) + 1


def stream_order(
    seed: int, visits: NDArray[np.uint64], support: int, samples: int, *, anywhere: bool = True
) -> NDArray[np.intp] | None:
    """Return which of its samples each visit meets, (visits, samples).

    A visit that takes no more than there are meets a stretch of them, in their order. With `anywhere` the
    stretch starts at a drawn place and wraps round, so that in time a device uses all of its data; otherwise
    it starts with the first. A visit that takes more meets all in their order, then again in drawn orders.

    Parameters
    ----------
    seed
        Draws places and orders, together with the number of each visit alone.
    visits
        Number of each visit, (visits,).
    support
        Samples of each device.
    samples
        Samples of a visit.
    anywhere
        Where a stretch starts.

    Returns
    -------
    Places in the support sets; None where every visit meets all samples once in their order, or the first of
    them.

    Examples
    --------
    >>> stream_order(0, np.arange(1, dtype=np.uint64), 4, 10)
    array([[0, 1, 2, 3, 0, 1, 3, 2, 3, 0]])
    """
    if samples == support or (samples < support and not anywhere):
        return None
    forward = np.arange(min(samples, support))
    if samples < support:
        first = (bits(seed, visits, POSITION, 1) % np.uint64(support)).astype(np.intp)
        return (first + forward) % support
    again = -(-samples // support) - 1
    keys = bits(seed, visits, SHUFFLE, again * support).reshape(len(visits), again, support)
    shuffled = np.argsort(keys, axis=2, kind="stable").reshape(len(visits), -1)
    order = np.concatenate([np.broadcast_to(forward, (len(visits), support)), shuffled], axis=1)
    return order[:, :samples]
