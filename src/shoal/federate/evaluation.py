"""Evaluation: new devices get the start, learn from a few samples, and are judged on others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal import runtime
from shoal.datasets import TaskFamily
from shoal.datasets.random import bits, choose
from shoal.errors import ConfigError
from shoal.federate import check
from shoal.federate.adaptation import Adaptation
from shoal.federate.algorithms.base import check_optimizer
from shoal.federate.algorithms.controls import Control, FromScratch, NoAdaptation
from shoal.federate.streams import stream_order
from shoal.learn import SGD, Optimizer
from shoal.nn import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.datasets import TaskBatch

__all__ = ["Evaluation", "check_tasks", "evaluate"]

CHOICE, FRESH = (1 << 34) + 32, (1 << 34) + 33
# Values of parameters held at a time.
VALUES = 1 << 22


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How to evaluate.

    Parameters
    ----------
    steps
        After how many steps to judge, rising.
    optimizer
        How a device learns; None: as the algorithm's clients do.
    tasks_count
        New devices; of a family with fewer, all.
    seed
        Draws the devices and their samples.
    batch
        Samples of a step.
    """

    steps: tuple[int, ...] = (0, 1, 2, 4, 8)
    optimizer: Optimizer | None = None
    tasks_count: int = 100
    seed: int = 0
    batch: int = 1

    def __post_init__(self) -> None:
        check.counts(self.steps, "steps")
        if self.optimizer is not None:
            check_optimizer(self.optimizer)
        check.whole(self.tasks_count, "tasks_count")
        check.seed(self.seed)
        check.whole(self.batch, "batch")


def evaluate(
    network: Network,
    tasks: TaskFamily,
    *,
    steps: tuple[int, ...] = (0, 1, 2, 4, 8),
    optimizer: Optimizer | None = None,
    tasks_count: int = 100,
    seed: int = 0,
    batch: int = 1,
    control: Control | None = None,
    width: int | None = None,
    threads: int = 1,
) -> Adaptation:
    """Judge how well new devices adapt from a network.

    Parameters
    ----------
    network
        Where each device starts.
    tasks
        Family of the devices; its held-out part is used.
    steps
        After how many steps to judge, rising. Steps go through the support set in its order, then again in
        drawn orders.
    optimizer
        How a device learns; None for `SGD(0.02)`.
    tasks_count
        Number of devices; of a family with fewer, all.
    seed
        Draws the devices and their samples.
    batch
        Samples of a step.
    control
        `NoAdaptation()` takes no step; `FromScratch()` starts from random parameters.
    width, threads
        As for `SimulatedCohort`.

    Returns
    -------
    Adaptation
        Losses and accuracies on the queries.

    Raises
    ------
    ConfigError
        For a parameter out of range, or tasks that do not fit the network.

    Examples
    --------
    >>> from shoal import datasets, nn
    >>> net = nn.Network([nn.Dense(8, "tanh"), nn.Dense(1)], input_shape=(1,), loss="mse", seed=0)
    >>> evaluate(net, datasets.sine(), steps=(0, 8), tasks_count=20).losses.shape
    (1, 20, 2)
    """
    Evaluation(tuple(steps), optimizer, tasks_count, seed, batch)
    check_tasks(network, tasks)
    optimizer = SGD(0.02) if optimizer is None else optimizer
    held_out = tasks.held_out()
    ids = devices(held_out, tasks_count, seed)
    network_plan = network.plan(optimizer.name, accumulate=batch > 1)
    image = network_plan.image()
    marks = (0,) if isinstance(control, NoAdaptation) else tuple(steps)
    group = max(1, VALUES // max(1, len(marks) * network_plan.parameters.size))
    losses, accuracies, failed = [], [], 0
    for part in (ids[i : i + group] for i in range(0, len(ids), group)):
        data = held_out.sample(seed, part)
        start = network.parameters
        if isinstance(control, FromScratch):
            start = np.stack([fresh(network, control.seed, number) for number in part])
        ends = np.broadcast_to(start if start.ndim == 2 else start[None], (len(part), start.shape[-1]))[
            :, None
        ]
        if marks[-1] > 0:
            samples = marks[-1] * batch
            order = stream_order(seed, part, data.support.shape[1], samples, anywhere=False)
            row, targets = ordered(data, order, samples)
            visits = runtime.visit(
                image,
                x=data.x,
                row=row,
                targets=targets,
                phases=(optimizer.phase(samples, batch=batch),),
                start=start,
                marks=[mark * batch for mark in marks],
                width=width,
                threads=threads,
            )
            ends = visits.end
            bad = (visits.status != 0) | ~np.isfinite(ends).all(axis=(1, 2))
            ends[bad] = start[bad][:, None] if start.ndim == 2 else start
            failed += int(np.count_nonzero(bad))
        judged = [judge(image, data, ends[:, m], network, width, threads) for m in range(ends.shape[1])]
        losses.append(np.stack([loss for loss, _ in judged], axis=1))
        accuracies.append(np.stack([right for _, right in judged], axis=1))
    all_losses, all_accuracies = np.concatenate(losses)[None], np.concatenate(accuracies)[None]
    if isinstance(control, NoAdaptation):
        all_losses, all_accuracies = (np.repeat(v, len(steps), axis=2) for v in (all_losses, all_accuracies))
    classes = held_out.kind == "classification"
    return Adaptation(tuple(steps), all_losses, all_accuracies if classes else None, failed)


def check_statistics(network: Network) -> None:
    """Refuse a network with running statistics: what travels between devices is parameters alone.

    Raises
    ------
    ConfigError
        Where a layer keeps statistics.
    """
    if network.plan(None).statistics > 0:
        raise ConfigError(
            "Standardize keeps statistics on the device, and only parameters are shared",
            where="network",
            hint="scale the samples beforehand, or use GroupNorm",
        )


def check_tasks(network: Network, tasks: TaskFamily) -> None:
    """Check that a network can learn the tasks of a family.

    Raises
    ------
    ConfigError
        Where inputs, outputs or loss do not fit.
    """
    check.instance(network, "network", (Network,))
    check.instance(tasks, "tasks", (TaskFamily,))
    check_statistics(network)
    if network.loss is None:
        raise ConfigError("the network has no loss to learn from", where="network", hint='loss="mse"')
    if tuple(tasks.input_shape) != tuple(network.input_shape):
        raise ConfigError(
            f"the tasks have inputs {tasks.input_shape}, the network takes {network.input_shape}",
            where="network",
            hint=f"input_shape={tasks.input_shape}",
        )
    outputs = int(np.prod(network.output_shape))
    classes = network.loss == "cross_entropy"
    if classes and tasks.kind != "classification":
        raise ConfigError(
            "cross-entropy needs classes, the tasks have values", where="network", hint='loss="mse"'
        )
    if tasks.kind == "classification" and not classes and tasks.outputs > 2:
        raise ConfigError(
            f"the tasks have {tasks.outputs} classes, the loss is {network.loss}",
            where="network",
            hint='nn.Softmax() last and loss="cross_entropy"',
        )
    needed = tasks.outputs if classes or tasks.kind == "regression" else 1
    if outputs < needed or (outputs != needed and not classes):
        raise ConfigError(
            f"the network has {outputs} outputs, the tasks need {needed}",
            where="network",
            hint=f"nn.Dense({needed})",
        )


def devices(family: TaskFamily, count: int, seed: int) -> NDArray[np.uint64]:
    """Return the ids of the devices to judge."""
    if family.clients is None:
        return np.arange(count, dtype=np.uint64)
    if count >= family.clients:
        return np.arange(family.clients, dtype=np.uint64)
    chosen: NDArray[np.int64] = choose(seed, np.zeros(1, np.uint64), CHOICE, family.clients, count)[0]
    return chosen.astype(np.uint64)


def ordered(
    data: TaskBatch, order: NDArray[np.intp] | None, samples: int
) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Return the support set as a stream: rows (tasks, samples) and targets (tasks, samples, targets)."""
    if order is None:
        return data.support[:, :samples], data.support_y[:, :samples]
    return (
        np.take_along_axis(data.support, order, axis=1),
        np.take_along_axis(data.support_y, order[:, :, None], axis=1),
    )


def fresh(network: Network, seed: int, number: np.uint64) -> NDArray[np.float32]:
    """Return random parameters of the same network, for one device."""
    own = int(bits(seed, np.array([number], np.uint64), FRESH, 1)[0, 0])
    return Network(network.layers, network.input_shape, network.loss, own).parameters


def judge(
    image: bytes,
    data: TaskBatch,
    start: NDArray[np.float32],
    network: Network,
    width: int | None,
    threads: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean loss and accuracy of each device on its queries, (tasks,)."""
    y, loss = runtime.answer(
        image, x=data.x, row=data.query, start=start, targets=data.query_y, width=width, threads=threads
    )
    if loss is None:
        raise AssertionError
    label = data.query_y[:, :, 0]
    guess = y.argmax(axis=2) if network.loss == "cross_entropy" else y[:, :, 0] >= 0.5
    return loss.mean(axis=1, dtype=np.float64), (guess == label).mean(axis=1, dtype=np.float64)
