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


def recurrent() -> nn.Network:
    """Return an LSTM and filters over time on int8 values, and a float32 LSTM and classifier behind them."""

    def codes(scale: float, zero: int) -> nn.Quantization:
        return nn.Quantization("int8", float(np.float32(scale)), zero)

    layers = [
        nn.Quantize(codes(1 / 40, 3)),
        nn.LSTM(4, clip=6.0, quantized=codes(1 / 127, -4), cell=nn.Quantization("int16", 2.0**-12, 0)),
        nn.Flatten(),
        nn.SVDF(6, 5, 2, quantized=codes(0.1, -20), state=nn.Quantization("int16", 0.002, 0)),
        nn.Dequantize(),
        nn.Reshape((1, 2, 3)),
        nn.LSTM(5),
        nn.Flatten(),
        nn.Dense(3),
        nn.Softmax(),
    ]
    network = nn.Network(layers, input_shape=(1, 3, 4), loss="cross_entropy", seed=2)
    rng = np.random.default_rng(5)
    for name, array in network.arrays.items():
        if array.dtype == np.float32:
            network.arrays[name] = rng.uniform(0.005, 0.02, array.shape) if "scales" in name else array
        else:
            most = {"int8": 127, "int16": 3000, "int32": 2000}[array.dtype.name]
            network.arrays[name] = rng.integers(-most, most + 1, array.shape).astype(array.dtype)
    return network


def samples(network: nn.Network, count: int = 10) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, *network.input_shape)).astype(np.float32)
    if network.loss == "cross_entropy":
        return x, rng.integers(0, network.active, count).astype(np.float32)
    return x, rng.normal(size=(count, *network.output_shape)).astype(np.float32)
