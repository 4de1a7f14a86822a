"""The small networks that boards are measured with, and their samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal import nn
from shoal.learn import quantize
from shoal.learn.samples import as_samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SAMPLES = 32


@dataclass(frozen=True, slots=True)
class Net:
    """A network by name; where there is a goal, the instructions of one learning step on a Cortex-M4F."""

    name: str
    make: Callable[[], nn.Network]
    goal: int | None = None


def classifier(inputs: int, hidden: int, classes: int) -> nn.Network:
    layers = [nn.Dense(hidden, "relu"), nn.Dense(classes), nn.Softmax()]
    return nn.Network(layers, input_shape=(inputs,), loss="cross_entropy", seed=0)


def regressor() -> nn.Network:
    layers = [nn.Dense(32, "relu"), nn.Dense(32, "relu"), nn.Dense(1)]
    return nn.Network(layers, input_shape=(1,), loss="mse", seed=0)


def autoencoder() -> nn.Network:
    """Return TinyOL's network: an autoencoder of which the last layer learns."""
    hidden = [nn.Dense(units, "relu", trainable=False) for units in (8, 4, 8)]
    return nn.Network([*hidden, nn.Dense(40)], input_shape=(40,), loss="mse", seed=0)


def convolutions() -> nn.Network:
    layers = [
        nn.Conv2D(8, 3, 2, activation="relu"),
        nn.DepthwiseConv2D(3, activation="relu"),
        nn.Conv2D(16, 1, activation="relu"),
        nn.GlobalAveragePool2D(),
        nn.Dense(4),
        nn.Softmax(),
    ]
    return nn.Network(layers, input_shape=(16, 16, 1), loss="cross_entropy", seed=0)


def fixed(make: Callable[[], nn.Network]) -> Callable[[], nn.Network]:
    """Return what makes the same network in fixed point."""

    def made() -> nn.Network:
        network = make()
        return quantize(network, samples(network)[0], "int16")

    return made


FLOAT = (
    Net("32-16-4", lambda: classifier(32, 16, 4), 6_000),
    Net("1-32-32-1", regressor, 15_000),
    Net("64-64-10", lambda: classifier(64, 64, 10), 40_000),
    Net("40-8-4-8-40-last", autoencoder, 8_000),
    Net("convolutions", convolutions),
)
FIXED = tuple(Net(f"{net.name}-int16", fixed(net.make)) for net in FLOAT if net.make is not convolutions)
NETS = FLOAT + FIXED


def samples(network: nn.Network) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """Return x (SAMPLES, inputs) and targets (SAMPLES, targets) of which the values do not matter."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((SAMPLES, *network.input_shape), np.float32)
    x = as_samples(network, x)
    if network.loss == "cross_entropy":
        return x, rng.integers(0, network.output_shape[0], (SAMPLES, 1)).astype(np.float32)
    return x, rng.standard_normal((SAMPLES, *network.output_shape), np.float32)
