"""Fleets and shelves to match: boards of the table with firmware, sensors and runtimes; models of many kinds.

Free RAM is another one on nearly every device: what a firmware takes differs from site to site.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from shoal.boards import BOARDS, Board
from shoal.catalog.documents import (
    Capacity,
    Hardware,
    Input,
    Metric,
    Model,
    Need,
    Operator,
    Runtime,
    Sensor,
    SensorNeed,
)

__all__ = ["devices", "models"]

OPERATORS = (
    "ADD",
    "AVERAGE_POOL_2D",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "FULLY_CONNECTED",
    "LOGISTIC",
    "MAX_POOL_2D",
    "MEAN",
    "PAD",
    "RESHAPE",
    "SOFTMAX",
    "SVDF",
)
LICENCES = (None, ("MIT", "Apache-2.0"), ("Apache-2.0", "BSD-3-Clause"))
BUILDS = 40  # of the firmware
ADDED = (
    (),
    (Sensor(observes="vibration", low=-50, high=50, rate_hz=26_667, axes=1),),
    (Sensor(observes="air temperature", low=-40, high=125, rate_hz=1, axes=1),),
    (Sensor(observes="sound", rate_hz=16_000, axes=1),),
    (Sensor(observes="thermal image", rate_hz=8, axes=1),),
)


def runtimes(rng: np.random.Generator) -> tuple[Runtime, ...]:
    """Return the runtimes of a build."""
    if rng.random() < 0.5:
        return (Runtime(name="shoal", training=bool(rng.random() < 0.7)),)
    chosen = rng.choice(OPERATORS, int(rng.integers(5, len(OPERATORS))), replace=False)
    return (
        Runtime(
            name="tflite-micro",
            operators=tuple(Operator(name=str(name), version=5, dtype="*") for name in sorted(chosen)),
        ),
    )


def built_in(board: Board) -> tuple[Sensor, ...]:
    """Return the sensors of a board."""
    return tuple(
        Sensor(observes=one.observes, low=one.low, high=one.high, rate_hz=one.rate_hz, axes=3, part=one.part)
        for one in board.sensors
    )


def devices(count: int, seed: int = 0) -> Iterator[tuple[str, Hardware]]:
    """Yield devices with their ids; what many have in common is made once."""
    rng = np.random.default_rng(seed)
    boards = list(BOARDS.values())
    builds = [runtimes(rng) for _ in range(12)]
    sensors = {(board.name, i): built_in(board) + more for board in boards for i, more in enumerate(ADDED)}
    taken = rng.integers(8, 256, BUILDS) * 1024
    which, kit = rng.integers(0, len(boards), count), rng.integers(0, len(ADDED), count)
    build, reserved = rng.integers(0, BUILDS, count), rng.random(count)
    for i in range(count):
        board, firmware = boards[which[i]], int(build[i])
        yield (
            f"urn:dev:ops:32473-{i:07d}",
            Hardware.model_construct(
                board=board.name,
                core=board.core,
                clock_hz=board.clock_hz,
                ram=capacity(board.ram_bytes, int(reserved[i] * board.ram_bytes / 2)),
                flash=capacity(board.flash_bytes, min(int(taken[firmware]), board.flash_bytes)),
                sensors=sensors[board.name, int(kit[i])],
                runtimes=builds[firmware % len(builds)],
                licences=LICENCES[firmware % len(LICENCES)],
            ),
        )


def capacity(total: int, reserved: int) -> Capacity:
    """Return memory; numbers of a generator need no check."""
    return Capacity.model_construct(total=total, reserved=reserved)


def models(count: int, seed: int = 1) -> Iterator[Model]:
    """Yield models: RAM of 1 kB to 1 MB, flash of 4 kB to 4 MB, of 400 architectures."""
    rng = np.random.default_rng(seed)
    shapes = []
    for _ in range(min(count, 400)):
        names = rng.choice(OPERATORS, int(rng.integers(2, 6)), replace=False)
        dtype, version = (("int8", 2), ("float32", 1))[int(rng.integers(0, 2))]
        shapes.append(
            (
                tuple(Operator(name=str(name), version=version, dtype=dtype) for name in sorted(names)),
                tuple(need(rng) for _ in range(int(rng.integers(0, 3)))),
                ("", "MIT", "Apache-2.0")[int(rng.integers(0, 3))],
                (None, 64_000_000, 120_000_000)[int(rng.integers(0, 3))],
            )
        )
    for i in range(count):
        operators, sensors, licence, clock = shapes[int(rng.integers(0, len(shapes)))]
        yield Model.model_construct(
            sha256=f"{i:064x}",
            name=f"model-{i}",
            version="1.0.0",
            format="tflite",
            size=int(4096 * 2 ** (10 * rng.random())),
            licence=licence,
            operators=operators,
            inference=Need.model_construct(bytes=int(1024 * 2 ** (10 * rng.random()))),
            clock_hz=clock,
            input=Input(sensors=sensors),
            metrics=(Metric(name="accuracy", value=round(float(rng.random()), 3)),),
        )


def need(rng: np.random.Generator) -> SensorNeed:
    """Return something that must be observed."""
    observes = str(rng.choice(["acceleration", "temperature", "sound", "image", "angular velocity"]))
    ranged = observes == "acceleration" and rng.random() < 0.5
    rate = float(rng.choice([50, 104, 400])) if observes in ("acceleration", "angular velocity") else None
    return SensorNeed(
        observes=observes, rate_hz=rate, low=-4.0 if ranged else None, high=4.0 if ranged else None
    )
