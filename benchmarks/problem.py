"""The two visits that contenders compete on, as plain arrays.

A visit is what one device does in a round: it starts from the common weights, takes one SGD step for each
of its samples, and hands its final weights back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal import datasets, nn

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Problem:
    """Devices, their samples, and the network that all start from."""

    network: nn.Network
    rate: float
    x: NDArray[np.float32]  # (rows, *sample)
    row: NDArray[np.uint32]  # (devices, samples)
    targets: NDArray[np.float32]  # (devices, samples, targets)

    @property
    def devices(self) -> int:
        return len(self.row)

    @property
    def samples(self) -> int:
        return int(self.row.shape[1])

    @property
    def inputs(self) -> NDArray[np.float32]:
        """The samples of each device (devices, samples, *sample)."""
        return self.x[self.row]

    @property
    def weights(self) -> list[NDArray[np.float32]]:
        """The weights and the bias of each layer in turn, as the network keeps them."""
        flat = self.network.parameters
        layout = self.network.plan("sgd").layout
        return [flat[start : start + int(np.prod(shape))].reshape(shape) for _, start, shape in layout]


@dataclass(frozen=True, slots=True)
class Program:
    """What a contender does: `run` lets every device visit, `ends` makes (devices, P) of what it returns."""

    run: Callable[[], object]
    ends: Callable[[object], NDArray[np.float32]]


def flatten(arrays: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Final weights (devices, P) from arrays (devices, ...)."""
    return np.concatenate([a.reshape(len(a), -1) for a in arrays], axis=1)


def mlp(devices: int) -> Problem:
    """32 steps on a sine wave of the device's own: 1-32-32-1, tanh, mean squared error."""
    network = nn.Network([nn.Dense(32, "tanh"), nn.Dense(32, "tanh"), nn.Dense(1)], (1,), "mse", 0)
    batch = datasets.sine(shots=32, queries=1).sample(0, np.arange(devices, dtype=np.uint64))
    return Problem(network, 0.02, batch.x, batch.support, batch.support_y)


def conv(devices: int, filters: int) -> Problem:
    """25 steps on 28x28 images of five classes: four strided convolutions, softmax, cross-entropy."""
    layers = [nn.Conv2D(filters, 3, 2, activation="relu") for _ in range(4)]
    network = nn.Network([*layers, nn.Flatten(), nn.Dense(5, "softmax")], (28, 28, 1), "cross_entropy", 0)
    rng = np.random.default_rng(0)
    # Grey pixels: over large areas of one value a ReLU may be at its kink, where rounding decides.
    x = rng.random((1000, 28, 28, 1), np.float32)
    row = rng.integers(0, len(x), size=(devices, 25)).astype(np.uint32)
    return Problem(network, 0.01, x, row, rng.integers(0, 5, size=(devices, 25, 1)).astype(np.float32))


PROBLEMS: dict[str, Callable[..., Problem]] = {"mlp": mlp, "conv": conv}
