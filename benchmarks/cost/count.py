"""Counts the instructions of calls on an emulated core."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.cost.nets import drawn
from shoal.build.cost import total_work
from shoal.devices import Layout
from shoal.devices.emulator import boot
from shoal.devices.machines import machine
from shoal.errors import ShoalError
from shoal.learn import SGD, Adam, Momentum

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from shoal import nn
    from shoal.devices.remote import RemoteExecutor

SAMPLES = 4
OPTIMIZERS = (SGD(), SGD(), Momentum(), Adam())


@dataclass(frozen=True, slots=True)
class Count:
    """One call: what it did, and the instructions that it took in the mean."""

    name: str
    work: Counter[str]
    instructions: float


def counts(core: str, seeds: range) -> Iterator[Count]:
    """Yield the calls of drawn networks on one core."""
    limits = machine(core)
    board = boot(core, layout=Layout(ram=limits.ram.limit, flash=limits.flash.limit, frame=16_384))
    try:
        for seed in seeds:
            try:
                yield from of_network(
                    board, limits.ticks, *drawn(seed), OPTIMIZERS[seed % len(OPTIMIZERS)], seed
                )
            except ShoalError as error:
                print(f"{core}, network {seed}: {error.what}", flush=True)
    finally:
        board.link.close()


def of_network(
    board: RemoteExecutor,
    ticks: float,
    family: str,
    network: nn.Network,
    optimizer: SGD | Momentum | Adam,
    seed: int,
) -> Iterator[Count]:
    """Yield the calls of one network."""
    learns = network.learns and bool(network.trainable)
    if family == "int8 learning" or family == "int16":
        optimizer = SGD()
    plan = network.plan(optimizer.name if learns else None)
    board.open(plan.image())
    rng = np.random.default_rng(seed)
    x = samples(rng, network, plan.input_type)
    taken = []
    for sample in x:
        board.predict(sample)
        taken.append(board.counts()["predict"])
    yield Count(family, total_work("predict", plan, learning=False), float(np.mean(taken)) / ticks)
    if not learns:
        return
    board.set_optimizer(optimizer.phase())
    taken = []
    for sample, target in zip(x, targets(rng, network), strict=True):
        board.learn(sample[None], target[None])
        taken.append(board.counts()["learn"])
    yield Count(family, total_work("learn", plan, learning=True), float(np.mean(taken)) / ticks)


def samples(rng: np.random.Generator, network: nn.Network, kind: str) -> np.ndarray:
    """Return samples as the network takes them."""
    shape = (SAMPLES, *network.input_shape)
    if kind == "float32":
        return rng.uniform(-1, 1, shape).astype(np.float32)
    limits = np.iinfo(kind)
    return rng.integers(limits.min, limits.max, shape, endpoint=True).astype(kind)


def targets(rng: np.random.Generator, network: nn.Network) -> np.ndarray:
    """Return a label for each sample."""
    if network.loss == "cross_entropy":
        return rng.integers(0, network.active, (SAMPLES, 1)).astype(np.float32)
    return rng.uniform(0, 1, (SAMPLES, int(np.prod(network.output_shape)))).astype(np.float32)
