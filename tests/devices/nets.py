"""Small networks of each kind, and samples for them."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from shoal import nn
from shoal.devices.machines import PACKAGES, machine


def needs(*cores: str) -> pytest.MarkDecorator:
    """Skip where a core cannot be emulated, with the line that installs what is missing."""
    tools = [tool for core in cores for tool in (machine(core).compiler, machine(core).emulator)]
    missing = [tool for tool in dict.fromkeys(tools) if shutil.which(tool) is None]
    packages = " ".join(PACKAGES[tool] for tool in missing)
    return pytest.mark.skipif(bool(missing), reason=f"sudo apt-get install {packages}")


def dense() -> nn.Network:
    layers = [nn.Dense(12, "relu"), nn.Dense(3), nn.Softmax()]
    return nn.Network(layers, input_shape=(6,), loss="cross_entropy", seed=0)


def conv() -> nn.Network:
    layers = [
        nn.Conv2D(2, 3, activation="relu"),
        nn.MaxPool2D(2),
        nn.Flatten(),
        nn.Dense(3),
        nn.Softmax(),
    ]
    return nn.Network(layers, input_shape=(6, 6, 1), loss="cross_entropy", seed=0)


def backbone(*, trainable: bool = False) -> nn.Network:
    """Return a convolution on int8 values, frozen or not, and a float32 classifier behind it."""
    quantized = nn.Quantization("int8", 0.05, -128)
    layers = [
        nn.Quantize(nn.Quantization("int8", 1 / 64, 0)),
        nn.Conv2D(4, 3, activation="relu", quantized=quantized, trainable=trainable),
        nn.MaxPool2D(2),
        nn.Flatten(),
        nn.Dequantize(),
        nn.Dense(3),
        nn.Softmax(),
    ]
    network = nn.Network(layers, input_shape=(6, 6, 1), loss="cross_entropy", seed=1)
    rng = np.random.default_rng(3)
    network.arrays["conv2d_1.weights"] = rng.integers(-127, 128, (4, 3, 3, 1)).astype(np.int8)
    network.arrays["conv2d_1.bias"] = rng.integers(-500, 500, 4).astype(np.int32)
    network.arrays["conv2d_1.scales"] = np.full(4, 0.01, np.float32)
    return network


def samples(network: nn.Network, count: int = 10) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, *network.input_shape)).astype(np.float32)
    if network.loss == "cross_entropy":
        return x, rng.integers(0, network.active, count).astype(np.float32)
    return x, rng.normal(size=(count, *network.output_shape)).astype(np.float32)
