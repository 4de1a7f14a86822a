"""Random numbers that depend on what they are for, not on when they are drawn.

Every number is a hash of (seed, stream, id, counter), so the draw of one device is the same in every batch,
lane and order. The hash is the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), applied to whole
arrays in integer arithmetic: the same bits on every machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Hash each element (SplitMix64); returns a new array of the shape of `z`."""
    z = z + GOLDEN
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


def derive(ids: NDArray[np.uint64], count: int) -> NDArray[np.uint64]:
    """Give each id `count` ids of its own, (len(ids), count), for draws inside a task."""
    return mix(mix(ids)[:, None] + GOLDEN * np.arange(count, dtype=np.uint64))


def bits(seed: int, ids: NDArray[np.uint64], stream: int, count: int) -> NDArray[np.uint64]:
    """Random words (len(ids), count).

    Parameters
    ----------
    seed
        0 to 2**64 - 1.
    ids
        (n,) the devices or tasks.
    stream
        0 to 2**64 - 1; separates draws for different purposes.
    count
        Words per id.

    Raises
    ------
    ConfigError
        For a seed out of range.
    """
    if not 0 <= seed < 1 << 64:
        raise ConfigError(f"seed {seed} is out of range", where="seed", hint="0 <= seed < 2**64")
    key = mix(mix(np.array([seed], np.uint64)) ^ np.uint64(stream))
    start = mix(ids ^ key)
    return mix(start[:, None] + GOLDEN * np.arange(count, dtype=np.uint64))


def uniform(seed: int, ids: NDArray[np.uint64], stream: int, count: int) -> NDArray[np.float32]:
    """Uniform numbers in [0, 1) in steps of 2**-24, (len(ids), count).

    Examples
    --------
    >>> ids = np.arange(1000, dtype=np.uint64)
    >>> u = uniform(0, ids, 0, 100)
    >>> bool(u.min() >= 0), bool(u.max() < 1), round(float(u.mean()), 2)
    (True, True, 0.5)
    >>> np.array_equal(uniform(0, ids[7:8], 0, 100)[0], u[7])
    True
    """
    # Each 64-bit word makes two numbers; '<' keeps their order the same on a big-endian machine.
    words = bits(seed, ids, stream, (count + 1) // 2).astype("<u8", copy=False).view("<u4")[:, :count]
    return (words >> np.uint32(8)).astype(np.float32) * np.float32(2**-24)


def choose(
    seed: int, ids: NDArray[np.uint64], stream: int, population: NDArray[np.int64] | int, count: int
) -> NDArray[np.int64]:
    """Draw without replacement: (len(ids), count) distinct numbers from 0 to population - 1 in random order.

    Parameters
    ----------
    seed, ids, stream
        As for `bits`.
    population
        One size for all ids or one for each, (len(ids),); at least `count`.
    count
        Numbers per id.

    Notes
    -----
    Floyd's algorithm (Bentley, Floyd, CACM 30(9), 1987), vectorised over the ids, then a shuffle by hashed
    keys. The cost does not depend on the population.

    Examples
    --------
    >>> picks = choose(0, np.arange(4, dtype=np.uint64), 0, 5, 5)
    >>> np.sort(picks, axis=1).tolist() == [[0, 1, 2, 3, 4]] * 4
    True
    """
    words = bits(seed, ids, stream, 2 * count)
    size = np.broadcast_to(np.asarray(population, np.int64), ids.shape)
    picks = np.empty((len(ids), count), np.int64)
    for k in range(count):
        last = size - count + k
        # Multiply-shift maps 32 random bits to 0..last with a bias below 2**-32 per number.
        high = words[:, k] >> np.uint64(32)
        pick = (high * (last + 1).astype(np.uint64) >> np.uint64(32)).astype(np.int64)
        taken = (picks[:, :k] == pick[:, None]).any(axis=1)
        picks[:, k] = np.where(taken, last, pick)
    order = np.argsort(words[:, count:], axis=1, kind="stable")
    return np.take_along_axis(picks, order, axis=1)
