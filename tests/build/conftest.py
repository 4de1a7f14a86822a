"""Networks and boards that projects are built from, and what compiles them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from shoal import build, learn, nn
from shoal.boards import BOARDS
from shoal.build import Firmware, Trial
from shoal.build.code import relevant
from shoal.build.selection import masks
from shoal.devices.machines import PACKAGES, machine

# The smallest board of each core that can be emulated.
CORES = {
    "cortex-m0+": "nano33iot",
    "cortex-m3": "nucleo-f103rb",
    "cortex-m4f": "nano33ble",
    "cortex-m7": "stm32f746g-disco",
    "cortex-m33": "thingy53",
    "cortex-m55": "stm32n6570-dk",
    "rv32imc": "esp32c3-devkitm",
    "rv32imac": "esp32c6",
    "rv32imafc": "esp32p4-function",
}


def need(*tools: str) -> None:
    """Skip the test where a tool is missing."""
    for tool in tools:
        if shutil.which(tool) is None:
            install = f"sudo apt-get install {PACKAGES.get(tool, tool)}"
            pytest.skip(f"{tool} is not installed: {install}")


def need_core(core: str, *, emulator: bool = False) -> None:
    """Skip the test where a core cannot be compiled for or emulated."""
    found = machine(core)
    need("make", found.compiler, *([found.emulator] if emulator else []))


def dense() -> nn.Network:
    layers = [nn.Dense(16, "relu"), nn.Dense(4), nn.Softmax()]
    return nn.Network(layers, (32,), loss="cross_entropy", seed=0)


def conv() -> nn.Network:
    layers = [
        nn.Conv2D(4, 3, activation="relu"),
        nn.MaxPool2D(2),
        nn.DepthwiseConv2D(2),
        nn.GroupNorm(2),
        nn.ReLU6(),
        nn.Flatten(),
        nn.Dense(3, "softmax"),
    ]
    return nn.Network(layers, (8, 8, 1), loss="cross_entropy", seed=0)


def regressor() -> nn.Network:
    layers = [nn.Standardize(), nn.Dense(5, "tanh"), nn.Dense(2)]
    return nn.Network(layers, (6,), loss="mse", seed=0)


def residual() -> nn.Network:
    inner = nn.Conv2D(4, 3, padding="same", activation="relu")
    layers = [
        nn.Conv2D(4, 3, padding="same", activation="relu"),
        nn.Residual(inner, activation="relu"),
        nn.GlobalAveragePool2D(),
        nn.Dense(3, "sigmoid"),
    ]
    return nn.Network(layers, (7, 7, 2), loss="bce", seed=0)


def samples(network: nn.Network) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (16, *network.input_shape)).astype(np.float32)


def int8() -> nn.Network:
    network = conv_without_norm()
    return learn.quantize(network, samples(network)).train_last(1)


def int8_learning() -> nn.Network:
    network = conv_without_norm()
    return learn.quantize(network, samples(network)).train_last(2, on_integers=True)


def int16() -> nn.Network:
    return learn.quantize(dense(), samples(dense()), "int16")


def conv_without_norm() -> nn.Network:
    layers = [
        nn.Conv2D(6, 3, activation="relu"),
        nn.MaxPool2D(2),
        nn.DepthwiseConv2D(2, activation="relu6"),
        nn.Flatten(),
        nn.Dense(3, "softmax"),
    ]
    return nn.Network(layers, (8, 8, 1), loss="cross_entropy", seed=0)


NETWORKS = {
    "dense": dense,
    "conv": conv,
    "regressor": regressor,
    "residual": residual,
    "int8": int8,
    "int8_learning": int8_learning,
    "int16": int16,
}


def firmware(name: str, board: str = "nano33ble", optimizer: object = "sgd") -> Firmware:
    """Return a firmware of one of the networks; without an optimizer it only answers."""
    chosen = learn.SGD() if optimizer == "sgd" else optimizer
    return Firmware(name, NETWORKS[name](), BOARDS[board], chosen)


@pytest.fixture(scope="session")
def emulated(tmp_path_factory) -> Callable[[Firmware], tuple[Trial, Path]]:
    """Return a function that builds a firmware for QEMU and runs it, once, for trial and folder."""
    known: dict[tuple[str, str, str], tuple[Trial, Path]] = {}

    def run(made: Firmware) -> tuple[Trial, Path]:
        key = (made.board.core, made.name, repr(made.optimizer))
        if key not in known:
            folder = build.project(made, "qemu", tmp_path_factory.mktemp("emulated") / "project")
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("MAKEFLAGS", f"-j{os.cpu_count()}")
                known[key] = build.emulated(made, folder), folder
        return known[key]

    return run


@pytest.fixture(scope="session")
def objects(tmp_path_factory) -> Callable[[Firmware, Path], list[Path]]:
    """Return a function that compiles the runtime's files of a project.

    A file is compiled once for all projects that make no difference to it; for the Cortex-M4F each time, and
    compared.
    """
    kept = tmp_path_factory.mktemp("objects")
    known: dict[tuple[str, ...], Path] = {}

    def compile_runtime(made: Firmware, folder: Path) -> list[Path]:
        found, chosen = [], masks(made.plan)
        for source in sorted((folder / "shoal" / "src").glob("*.c")):
            key = (made.board.core, source.name, *relevant(source.name, chosen))
            again = known.get(key)
            known.setdefault(key, kept / f"{source.stem}-{len(known)}.o")
            if again is None:
                compile_one(made, source, known[key])
            elif made.board.core == "cortex-m4f":
                compile_one(made, source, kept / "again.o")
                assert (kept / "again.o").read_bytes() == again.read_bytes(), source.name
            found.append(known[key])
        return found

    return compile_runtime


def compile_one(made: Firmware, source: Path, to: Path) -> None:
    """Compile a file of a project for CMake as its board's firmware does."""
    found = machine(made.board.core)
    command = [found.compiler, *found.flags, "-Ishoal/include", "-Isrc", "-c"]
    folder = next(parent for parent in source.parents if (parent / "shoal").is_dir())
    subprocess.run([*command, str(source.relative_to(folder)), "-o", str(to)], cwd=folder, check=True)
