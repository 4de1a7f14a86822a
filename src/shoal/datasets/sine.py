"""Sine waves of random amplitude and phase: the classic regression family of meta-learning."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import factorial, pi
from typing import TYPE_CHECKING

import numpy as np

from shoal.datasets import validate
from shoal.datasets.random import uniform
from shoal.datasets.task import Kind, Split, TaskBatch
from shoal.errors import ConfigError, InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARAMETERS, INPUTS, TEST = 0, 1, 16
# Samples per block: the temporaries of a block stay in the cache.
BLOCK = 16384


def sine(
    shots: int = 32,
    queries: int = 32,
    *,
    amplitude: tuple[float, float] = (0.1, 5.0),
    phase: tuple[float, float] = (0.0, 2 * pi),
    x: tuple[float, float] = (-5.0, 5.0),
) -> Sine:
    """Family of tasks y = A sin(x + phi), one amplitude and phase per device.

    Parameters
    ----------
    shots
        Support samples per device.
    queries
        Query samples per device.
    amplitude
        Range of A; each device draws its own.
    phase
        Range of phi [rad].
    x
        Range of the inputs.

    Returns
    -------
    Sine
        A `TaskFamily` with unlimited clients; `held_out` draws from another stream.

    Raises
    ------
    ConfigError
        For a count below 1 or a range that is reversed or not finite.

    References
    ----------
    Finn, Abbeel, Levine: Model-Agnostic Meta-Learning, ICML 2017, section 5.1.

    Examples
    --------
    >>> family = sine(shots=3, queries=1)
    >>> task = family.sample(0, np.array([42], np.uint64))[0]
    >>> task.support_x.shape, task.query_y.shape
    ((3, 1), (1, 1))
    """
    for name, (low, high) in {"amplitude": amplitude, "phase": phase, "x": x}.items():
        if not (np.isfinite(low) and np.isfinite(high) and low <= high):
            raise ConfigError(f"{name} is ({low}, {high})", where=name, hint="(low, high) with low <= high")
    return Sine(validate.count(shots, "shots"), validate.count(queries, "queries"), amplitude, phase, x)


@dataclass(frozen=True, slots=True)
class Sine:
    """The family that `sine` makes."""

    shots: int
    queries: int
    amplitude: tuple[float, float]
    phase: tuple[float, float]
    x: tuple[float, float]
    split: Split = "train"

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return (1,)

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return 1

    @property
    def kind(self) -> Kind:
        """What the targets are."""
        return "regression"

    @property
    def clients(self) -> int | None:
        """Number of devices: unlimited."""
        return None

    def held_out(self) -> Sine:
        """Return the family of unseen waves."""
        return replace(self, split="test")

    def parameters(
        self, seed: int, ids: NDArray[np.uint64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Amplitude (n,) and phase (n,) [rad] of each device."""
        u = uniform(seed, validate.ids(ids, None), self._stream(PARAMETERS), 2)
        return scale(u[:, 0], self.amplitude), scale(u[:, 1], self.phase)

    def sample(self, seed: int, ids: NDArray[np.uint64]) -> TaskBatch:
        """Draw the tasks with these ids."""
        ids = validate.ids(ids, None)
        n, width = len(ids), self.shots + self.queries
        if n * width > 1 << 32:
            raise InputError(
                f"{n} tasks of {width} samples are too many at once", where="ids", hint="smaller batches"
            )
        x = np.empty((n, width), np.float32)
        support_y = np.empty((n, self.shots, 1), np.float32)
        query_y = np.empty((n, self.queries, 1), np.float32)
        step = max(1, BLOCK // width)
        for start in range(0, n, step):
            block = slice(start, start + step)
            amplitude, phase = self.parameters(seed, ids[block])
            x[block] = scale(uniform(seed, ids[block], self._stream(INPUTS), width), self.x)
            y = amplitude[:, None] * sin(x[block] + phase[:, None])
            support_y[block, :, 0], query_y[block, :, 0] = y[:, : self.shots], y[:, self.shots :]
        first = np.arange(n, dtype=np.uint32)[:, None] * np.uint32(width)
        place = np.arange(width, dtype=np.uint32)
        support: NDArray[np.uint32] = np.add(first, place[: self.shots], dtype=np.uint32)
        query: NDArray[np.uint32] = np.add(first, place[self.shots :], dtype=np.uint32)
        return TaskBatch(x.reshape(-1, 1), support, support_y, query, query_y)

    def _stream(self, purpose: int) -> int:
        return purpose + (TEST if self.split == "test" else 0)


def scale(u: NDArray[np.float32], bounds: tuple[float, float]) -> NDArray[np.float32]:
    """Map [0, 1) to a range."""
    low, high = np.float32(bounds[0]), np.float32(bounds[1])
    # Rounding could pass `high` by one unit in the last place.
    result: NDArray[np.float32] = np.minimum(low + (high - low) * u, high)
    return result


def sin(angle: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sine with an error below 1e-6 for angles [rad] of two turns, with the same bits on every machine.

    The sine of numpy differs between processors in the last bit. This one is folded to a quarter turn and
    summed as a Taylor polynomial of degree 11 in single multiplications and additions.
    """
    turns = angle * np.float32(1 / (2 * pi))
    turns -= np.rint(turns)
    quarter = np.float32(0.25) - np.abs(np.abs(turns) - np.float32(0.25))
    z = np.copysign(quarter, turns) * np.float32(2 * pi)
    square = z * z
    total: NDArray[np.float32] = np.full_like(z, -1 / factorial(11))
    for degree in (9, 7, 5, 3, 1):
        total *= square
        total += np.float32((-1) ** (degree // 2) / factorial(degree))
    total *= z
    return total
