"""Counts the instructions of calls on an emulated core, of firmware with the operations of each network."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.cost.board import board
from benchmarks.cost.nets import drawn
from shoal.build.cost import total_work
from shoal.build.zeros import zeros_of
from shoal.devices.firmware import compiled
from shoal.devices.machines import machine
from shoal.errors import ShoalError
from shoal.learn import SGD, Adam, Momentum
from shoal.nn.graph import Code

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from shoal import nn
    from shoal.devices.remote import RemoteExecutor
    from shoal.nn.plan import Plan

SAMPLES = 4
OPTIMIZERS = (SGD(), SGD(), Momentum(), Adam())
ON_INTEGERS = {"int8 learning", "int8 pools", "int16"}  # these learn by plain descent
SAVED = 20  # networks between one writing of the file and the next


@dataclass(frozen=True, slots=True)
class Count:
    """One call: the family of its network, what it did, and the instructions that it took in the mean."""

    family: str
    learning: bool
    work: Counter[str]
    instructions: float


@dataclass(frozen=True, slots=True)
class Subject:
    """A network with the optimizer that it is counted with, if it learns."""

    family: str
    network: nn.Network
    optimizer: SGD | Momentum | Adam | None
    plan: Plan


def subject(seed: int) -> Subject:
    """Return the drawn network of a seed."""
    family, network = drawn(seed)
    optimizer = None
    if network.learns and network.trainable:
        optimizer = SGD() if family in ON_INTEGERS else OPTIMIZERS[seed % len(OPTIMIZERS)]
    return Subject(family, network, optimizer, network.plan(optimizer.name if optimizer else None))


def counts(core: str, seeds: Sequence[int], folder: Path) -> list[Count]:
    """Return the calls of drawn networks; instructions that the folder has are not counted again."""
    file = folder / f"{compiled(machine(core)).name}.json"
    known: dict[str, list[float]] = {}
    with suppress(FileNotFoundError):
        known = json.loads(file.read_text(encoding="utf-8"))
    if missing := [seed for seed in seeds if str(seed) not in known]:
        count_missing(core, missing, known, file)
    found = []
    for seed in seeds:
        one = subject(seed)
        x, labels = calls(one, seed)
        zeros = zeros_of(one.plan, x, labels, one.optimizer.phase() if one.optimizer else None)
        for learning, instructions in zip((False, True), known[str(seed)], strict=False):
            work = total_work(one.plan, core, zeros, learning=learning)
            found.append(Count(one.family, learning, work, instructions))
    return found


def count_missing(core: str, seeds: list[int], known: dict[str, list[float]], file: Path) -> None:
    """Count networks on emulated boards."""
    emulated = machine(core)
    for number, seed in enumerate(seeds, 1):
        one = subject(seed)
        try:
            with board(emulated, one.plan, file.with_suffix("")) as started:
                known[str(seed)] = [ticks / emulated.ticks for ticks in counted(started, one, seed)]
        except ShoalError as error:
            print(f"{core}, network {seed}: {error.what}", flush=True)
            known[str(seed)] = []
        if number % SAVED == 0 or number == len(seeds):
            file.write_text(json.dumps(known), encoding="utf-8")


def counted(started: RemoteExecutor, one: Subject, seed: int) -> list[float]:
    """Return the ticks of a prediction, and of a learning step where there is one, in the mean."""
    started.open(one.plan.image())
    x, labels = calls(one, seed)
    if any(operation.code == Code.STANDARDIZE for operation in one.plan.forward):
        started.observe(x)  # at rest the arithmetic has much to do with 0
    taken = []
    for sample in x:
        started.predict(sample)
        taken.append(started.counts()["predict"])
    found = [float(np.mean(taken))]
    if one.optimizer is not None:
        started.set_optimizer(one.optimizer.phase())
        taken = []
        for sample, target in zip(x, labels, strict=True):
            started.learn(sample[None], target[None])
            taken.append(started.counts()["learn"])
        found.append(float(np.mean(taken)))
    return found


def calls(one: Subject, seed: int) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """Return the samples and the labels that a network is counted with."""
    rng = np.random.default_rng(seed)
    x = samples(rng, one.network, one.plan.input_type)
    return x, targets(rng, one.network) if one.optimizer else np.zeros((SAMPLES, 0), np.float32)


def samples(rng: np.random.Generator, network: nn.Network, kind: str) -> NDArray[Any]:
    """Return samples as the network takes them."""
    shape = (SAMPLES, *network.input_shape)
    if kind == "float32":
        return rng.uniform(-1, 1, shape).astype(np.float32)
    limits = np.iinfo(kind)
    return rng.integers(limits.min, limits.max, shape, endpoint=True).astype(kind)


def targets(rng: np.random.Generator, network: nn.Network) -> NDArray[np.float32]:
    """Return a label for each sample."""
    if network.loss == "cross_entropy":
        return rng.integers(0, network.active, (SAMPLES, 1)).astype(np.float32)
    return rng.uniform(0, 1, (SAMPLES, int(np.prod(network.output_shape)))).astype(np.float32)
