"""Adapting one device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shoal import runtime
from shoal.datasets import Task
from shoal.errors import DivergedError, InputError
from shoal.federate import check
from shoal.federate.algorithms.base import check_optimizer
from shoal.federate.evaluation import check_statistics
from shoal.federate.streams import stream_order
from shoal.learn import SGD, Optimizer
from shoal.nn.arrays import checked

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from shoal.nn import Network

__all__ = ["adapt"]


def adapt(
    network: Network,
    x: Task | ArrayLike,
    y: ArrayLike | None = None,
    *,
    steps: int = 8,
    optimizer: Optimizer | None = None,
    batch: int = 1,
    seed: int = 0,
) -> Network:
    """Let a new device learn from its few samples, as `evaluate` does.

    Parameters
    ----------
    network
        Where the device starts; it is not changed.
    x
        Its samples (samples, *input_shape), or a `Task`, whose support set is taken.
    y
        Their targets: (samples, outputs), or class numbers (samples,). Not with a task.
    steps
        How many; they go through the samples in their order, then again in drawn orders.
    optimizer
        How the device learns; None for `SGD(0.02)`.
    batch
        Samples of a step.
    seed
        Draws the later orders.

    Returns
    -------
    Network
        With what the device learnt.

    Raises
    ------
    InputError
        For samples or targets that do not fit.
    DivergedError
        Where learning leaves the finite numbers, for instance at too high a rate.

    Examples
    --------
    >>> from shoal import datasets, nn
    >>> net = nn.Network([nn.Dense(8, "tanh"), nn.Dense(1)], input_shape=(1,), loss="mse", seed=0)
    >>> task = datasets.sine().sample(0, np.array([7], np.uint64))[0]
    >>> adapt(net, task, steps=8).parameters.shape
    (25,)
    """
    check.whole(steps, "steps", 0)
    check.whole(batch, "batch")
    check_statistics(network)
    optimizer = SGD(0.02) if optimizer is None else optimizer
    check_optimizer(optimizer)
    samples: ArrayLike
    if isinstance(x, Task):
        if y is not None:
            raise InputError("a task has its own targets", where="y", hint="adapt(network, task)")
        samples, y = x.support_x, x.support_y
    elif y is None:
        raise InputError("samples without targets", where="y", hint="adapt(network, x, y)")
    else:
        samples = x
    n = np.shape(samples)[0] if np.ndim(samples) else 0
    if n == 0:
        raise InputError(
            "there are no samples", where="x", hint=f"shape (n, {str(network.input_shape)[1:-1]})"
        )
    store = checked(samples, (n, *network.input_shape), "x")
    targets = checked(
        y, (n,) if network.loss == "cross_entropy" else (n, *network.output_shape), "y"
    ).reshape(n, -1)
    if steps == 0:
        return network.clone()
    visit = np.zeros(1, np.uint64)
    order = stream_order(seed, visit, n, steps * batch, anywhere=False)
    row = np.arange(steps * batch)[None] if order is None else order
    visits = runtime.visit(
        network.plan(optimizer.name, accumulate=batch > 1).image(),
        x=store,
        row=row.astype(np.uint32),
        targets=targets[row],
        phases=(optimizer.phase(steps * batch, batch=batch),),
        start=network.parameters,
        width=1,
    )
    if visits.status[0] == -10:
        raise InputError("a label names no class", where="y", hint=f"0 to {network.active - 1}")
    if visits.status[0] != 0 or not np.isfinite(visits.end).all():
        raise DivergedError(f"learning diverged at rate {optimizer.rate}", where="adapt", hint="a lower rate")
    return network.with_parameters(visits.end[0, 0])
