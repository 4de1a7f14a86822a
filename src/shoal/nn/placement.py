"""Where in the arena each buffer lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.nn.liveness import Buffer

__all__ = ["place"]


def place(buffers: Sequence[Buffer]) -> tuple[list[int], int]:
    """Return the offset of each buffer and the size of the arena.

    Each buffer goes to the lowest gap that fits among those whose time overlaps with its own. The order
    decides how well that packs, so a few orders are tried and the smallest arena is kept.

    References
    ----------
    Pisarchyk and Lee, Efficient memory management for deep neural net inference (2020), "greedy by size".
    """
    everyone = range(len(buffers))
    orders = (
        sorted(everyone, key=lambda i: (-buffers[i].size, buffers[i].first)),
        sorted(everyone, key=lambda i: (buffers[i].first - buffers[i].last, -buffers[i].size)),
        sorted(everyone, key=lambda i: (buffers[i].first, -buffers[i].size)),
    )
    return min((place_in_order(buffers, order) for order in orders), key=lambda placed: placed[1])


def place_in_order(buffers: Sequence[Buffer], order: Sequence[int]) -> tuple[list[int], int]:
    """Place one buffer after the other, each as low as it fits."""
    offsets = [0] * len(buffers)
    placed: list[int] = []  # by ascending offset
    arena = 0
    for i in order:
        size, first, last = buffers[i]
        offset = 0
        for j in placed:
            other = buffers[j]
            if other.last < first or last < other.first:
                continue
            if offsets[j] >= offset + size:
                break
            offset = max(offset, offsets[j] + other.size)
        offsets[i] = offset
        position = next((p for p, j in enumerate(placed) if offsets[j] > offset), len(placed))
        placed.insert(position, i)
        arena = max(arena, offset + size)
    return offsets, arena
