"""Write the test vectors of the C runtime into vectors/: networks, samples and what must come out.

    python -m tools.make_vectors

Run it when the image format, the arithmetic or an elementary function changes, and commit what it writes.
vectors/README.md describes the files. Answers and losses come from the float64 reference in tests/oracle.py,
which shares nothing with the runtime; the checksums of the long streams come from the runtime itself and
hold it to the same bits on every processor, with every compiler.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from shoal import nn
from shoal.runtime import Executor, Phase
from tests.oracle import Oracle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

__all__ = ["NEVER", "VECTORS", "Case", "Stream", "Vector", "cases", "make", "read", "write"]

ROOT = Path(__file__).resolve().parent.parent
VECTORS = ROOT / "vectors"
HEAD = struct.Struct("<4s16I6f")
MAGIC, VERSION = b"SVEC", 1
NEVER = 0xFFFFFFFF
SAMPLES, SHORT, LONG = 24, 500, 10_000
TOLERANCE = 2e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A network and how it learns."""

    name: str
    network: nn.Network
    optimizer: Literal["sgd", "momentum", "adam"] | None = "sgd"
    rate: float = 0.02
    batch: int = 1
    anchor: bool = False
    grow: int = NEVER

    def phase(self) -> Phase:
        """Return the settings of the optimizer."""
        return Phase(self.rate, 1, self.batch, proximal=0.1 if self.anchor else 0.0)


class Vector(NamedTuple):
    """What a file holds."""

    image: bytes
    inputs: int
    outputs: int
    targets: int
    parameters: int
    state: int
    batch: int
    grow: int
    seed: int
    checksums: tuple[int, int, int, int]
    tolerance: float
    optimizer: tuple[float, ...]
    x: Floats
    target: Floats
    y: Floats
    loss: Floats
    end: Floats


def cases() -> list[Case]:
    """Return the networks: together every operation, loss, optimizer and kind of mask."""
    dense, conv, depthwise = nn.Dense, nn.Conv2D, nn.DepthwiseConv2D

    def network(
        layers: list[nn.Layer], shape: tuple[int, ...], loss: Literal["mse", "bce", "cross_entropy"]
    ) -> nn.Network:
        return nn.Network(layers, shape, loss, seed=7)

    return [
        Case(
            name="dense_sgd",
            network=network(
                [nn.Standardize(), dense(45, "tanh"), dense(9, "leaky_relu"), dense(2)], (5,), "mse"
            ),
        ),
        Case(
            name="dense_momentum_grow",
            network=network(
                [
                    nn.Standardize(forgetting=0.05),
                    dense(12, "relu", bias=False),
                    dense(3, "softmax", reserve=2),
                ],
                (6,),
                "cross_entropy",
            ),
            optimizer="momentum",
            rate=0.005,
            grow=12,
        ),
        Case(
            name="dense_adam",
            network=network([dense(11, "relu6"), dense(7, "softmax"), dense(3, "sigmoid")], (7,), "bce"),
            optimizer="adam",
            rate=0.003,
        ),
        Case(
            name="dense_sgd_anchor",
            network=network([dense(40, "sigmoid"), dense(4, "softmax")], (3,), "cross_entropy"),
            rate=0.2,
            batch=4,
            anchor=True,
        ),
        Case(
            name="conv_sgd",
            network=network(
                [
                    conv(6, 3, 2, activation="relu", trainable=[0, 2, 3]),
                    nn.GroupNorm(2),
                    conv(9, 3, 1, "valid", activation="relu6", trainable="bias"),
                    nn.MaxPool2D(2),
                    nn.Flatten(),
                    dense(5, "softmax", trainable=slice(1, 4)),
                ],
                (12, 11, 2),
                "cross_entropy",
            ),
        ),
        Case(
            name="conv_wide_adam",
            network=network(
                [
                    conv(45, 3, (1, 2), activation="tanh"),
                    conv(37, 1, activation="relu"),
                    nn.MaxPool2D(3, 2, "same"),
                    conv(10, (2, 3), 1, "valid"),
                    nn.GroupNorm(5, trainable="bias"),
                    nn.GlobalAveragePool2D(),
                    dense(3),
                ],
                (6, 13, 1),
                "mse",
            ),
            optimizer="adam",
            rate=0.001,
        ),
        Case(
            name="depthwise_adam_batch",
            network=network(
                [
                    conv(6, 3, activation="tanh", trainable=False),
                    depthwise(3, 2, "same", activation="relu"),
                    depthwise(3, 1, "same", multiplier=2, trainable=slice(3, 9)),
                    nn.AveragePool2D(3, 2, "same"),
                    nn.GlobalAveragePool2D(),
                    dense(3),
                ],
                (9, 8, 1),
                "mse",
            ),
            optimizer="adam",
            rate=0.002,
            batch=4,
        ),
        Case(
            name="residual_momentum",
            network=network(
                [
                    conv(4, 3),
                    nn.Residual(conv(4, 3, activation="leaky_relu"), conv(4, 3)),
                    nn.ReLU(),
                    depthwise(2, 2, "valid", bias=False),
                    nn.Flatten(),
                    dense(3, "softmax"),
                ],
                (5, 6, 1),
                "cross_entropy",
            ),
            optimizer="momentum",
            rate=0.002,
        ),
        Case(
            name="answer_only",
            network=network(
                [conv(3, 2, activation="sigmoid"), nn.Flatten(), dense(4, "softmax")],
                (3, 3, 1),
                "cross_entropy",
            ),
            optimizer=None,
        ),
    ]


class Stream:
    """Samples and targets for ever, as runtime/test/vector.c draws them.

    A linear congruential generator: ``s = 1664525 s + 1013904223 mod 2^32``. A value of a sample is
    ``(s >> 8) 2^-23 - 1``, of a target ``(s >> 8) 2^-24``, a label ``((s >> 16) active) >> 16``.
    """

    def __init__(self, seed: int, inputs: int, targets: int, *, labels: bool) -> None:
        self.state, self.inputs, self.targets, self.labels = seed, inputs, targets, labels

    def draw(self, count: int) -> NDArray[np.uint32]:
        """Return the next numbers."""
        values = np.empty(count, np.uint32)
        for i in range(count):
            self.state = (1664525 * self.state + 1013904223) & 0xFFFFFFFF
            values[i] = self.state
        return values

    def next(self, active: int) -> tuple[Floats, Floats]:
        """Return a sample and its target, for a network with so many outputs in use."""
        x = (self.draw(self.inputs) >> 8).astype(np.float32) * np.float32(2**-23) - np.float32(1)
        drawn = self.draw(self.targets)
        if self.labels:
            return x, ((drawn >> 16) * np.uint32(active) >> 16).astype(np.float32)
        return x, (drawn >> 8).astype(np.float32) * np.float32(2**-24)


def make(case: Case) -> Vector:
    """Compute everything of one file."""
    if case.optimizer is None:
        image = case.network.plan(None).image()
    else:
        image = case.network.plan(case.optimizer, accumulate=case.batch > 1, anchor=case.anchor).image()
    info = Executor(image).info
    targets = info.targets if case.optimizer else 0
    labels = case.network.loss == "cross_entropy"
    phase = case.phase()
    settings = {"rate": phase.rate, "proximal": phase.proximal}

    oracle = Oracle(case.network)
    if case.anchor:
        oracle.set_anchor()
    samples = Stream(11, info.inputs, targets, labels=labels)
    xs, ts, ys, losses = [], [], [], []
    for i in range(SAMPLES):
        if i == case.grow:
            oracle.grow()
        x, t = samples.next(oracle.active)
        if case.optimizer is None:
            y, loss = oracle.predict(x), 0.0
        elif case.batch == 1:
            y, loss = oracle.step(x, t, case.optimizer, **settings)
        else:
            y, loss = oracle.predict(x), oracle.accumulate(x, t)
            if (i + 1) % case.batch == 0:
                oracle.apply(case.optimizer, **settings)
        xs.append(x)
        ts.append(t)
        ys.append(y.ravel())
        losses.append(loss)
    end = [oracle.arrays[name].ravel() for name in case.network.trainable] if case.optimizer else []
    return Vector(
        image=image,
        inputs=info.inputs,
        outputs=info.outputs,
        targets=targets,
        parameters=info.parameters,
        state=info.state,
        batch=case.batch,
        grow=case.grow,
        seed=3,
        checksums=long_run(case, image, labels=labels) if case.optimizer else (0, 0, 0, 0),
        tolerance=TOLERANCE,
        optimizer=(phase.rate, phase.momentum, phase.beta1, phase.beta2, phase.epsilon, phase.proximal),
        x=np.array(xs, np.float32),
        target=np.array(ts, np.float32),
        y=np.array(ys, np.float32),
        loss=np.array(losses, np.float32),
        end=np.concatenate([*end, np.empty(0)]).astype(np.float32),
    )


def long_run(case: Case, image: bytes, *, labels: bool) -> tuple[int, int, int, int]:
    """Return the CRC-32 of parameters and state after SHORT and after LONG steps of the runtime."""
    executor = Executor(image)
    info = executor.info
    executor.set_optimizer(case.phase())
    if case.anchor:
        executor.set_anchor()
    samples = Stream(3, info.inputs, info.targets, labels=labels)
    checksums = []
    for i in range(1, LONG + 1):
        if i - 1 == case.grow:
            executor.grow()
        executor.learn(*samples.next(executor.info.active))
        if i % case.batch == 0 and case.batch > 1:
            executor.apply()
        if i in {SHORT, LONG}:
            checksums += [executor.checksum(), zlib.crc32(executor.state.tobytes())]
    first, second, third, fourth = checksums
    return first, second, third, fourth


def write(path: Path, v: Vector) -> None:
    """Write one file."""
    head = HEAD.pack(
        MAGIC,
        VERSION,
        len(v.image),
        v.inputs,
        v.outputs,
        v.targets,
        v.parameters,
        v.state,
        len(v.x),
        v.batch,
        v.grow,
        v.seed,
        *v.checksums,
        int(np.float32(v.tolerance).view(np.uint32)),
        *v.optimizer,
    )
    arrays = (v.x, v.target, v.y, v.loss, v.end)
    path.write_bytes(head + v.image + b"".join(a.astype("<f4").tobytes() for a in arrays))


def read(path: Path) -> Vector:
    """Read one file."""
    data = path.read_bytes()
    magic, version, size, inputs, outputs, targets, parameters, state, n, batch, grow, seed, *rest = (
        HEAD.unpack_from(data)
    )
    if (magic, version) != (MAGIC, VERSION):
        raise ValueError(f"{path} is no test vector of version {VERSION}")
    values = np.frombuffer(data, "<f4", offset=HEAD.size + size)
    counts = (n * inputs, n * targets, n * outputs, n, parameters)
    parts = [part.astype(np.float32) for part in np.split(values, np.cumsum(counts)[:-1])]
    return Vector(
        image=data[HEAD.size : HEAD.size + size],
        inputs=inputs,
        outputs=outputs,
        targets=targets,
        parameters=parameters,
        state=state,
        batch=batch,
        grow=grow,
        seed=seed,
        checksums=(rest[0], rest[1], rest[2], rest[3]),
        tolerance=float(np.uint32(rest[4]).view(np.float32)),
        optimizer=tuple(rest[5:]),
        x=parts[0].reshape(n, inputs),
        target=parts[1].reshape(n, targets),
        y=parts[2].reshape(n, outputs),
        loss=parts[3],
        end=parts[4],
    )


def main() -> None:
    """Write all files."""
    for case in cases():
        vector = make(case)
        path = VECTORS / f"{case.name}.vec"
        write(path, vector)
        print(
            f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes, image {len(vector.image):,}, "
            f"{vector.parameters:,} parameters, {vector.checksums[2]:08x}, loss {vector.loss[0]:.3f}"
        )


if __name__ == "__main__":
    main()
