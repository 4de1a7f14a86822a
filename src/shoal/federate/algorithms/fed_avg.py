"""Federated averaging."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shoal.federate import check
from shoal.federate.algorithms.base import (
    Algorithm,
    check_codecs,
    check_optimizer,
    check_work,
    scheduled,
    takes,
)
from shoal.federate.codecs import Codec, Dense
from shoal.federate.local import LocalPlan
from shoal.federate.schedules import Rate, check_rate
from shoal.learn import SGD, Optimizer

if TYPE_CHECKING:
    from shoal.nn import Network, Plan

__all__ = ["FedAvg"]


@dataclass(frozen=True, slots=True)
class FedAvg(Algorithm):
    """Clients learn from their own data; the server takes the mean, weighted by their samples.

    With `server_lr` 1 the new parameters are sum(n_k / n * w_k), w_k the parameters and n_k the samples of
    client k.

    Parameters
    ----------
    clients
        Clients in each round.
    local_epochs
        Passes over the data in a visit; batches run on from one pass into the next.
    local_steps
        Steps of a visit instead of passes.
    batch
        Samples of a step.
    optimizer
        How a client learns. It starts anew in each visit.
    local_lr
        Rate of the client's steps where it changes over the rounds; None: the optimizer's own.
    server_lr
        Rate of the server; a number or a schedule.
    upload, download
        How the change and the parameters travel.

    References
    ----------
    McMahan, Moore, Ramage, Hampson, Agüera y Arcas: Communication-Efficient Learning of Deep Networks from
    Decentralized Data, AISTATS 2017, algorithm 1.
    """

    clients: int = 10
    local_epochs: int | None = None
    local_steps: int | None = None
    batch: int = 10
    optimizer: Optimizer = field(default_factory=lambda: SGD(0.02))
    local_lr: Rate | None = None
    server_lr: Rate = 1.0
    upload: Codec = field(default_factory=Dense)
    download: Codec = field(default_factory=Dense)

    def __post_init__(self) -> None:
        check.whole(self.clients, "clients")
        check.whole(self.batch, "batch")
        check_optimizer(self.optimizer)
        check_work(self.local_steps, self.local_epochs, self.local_lr)
        check_rate(self.server_lr, "server_lr")
        check_codecs(self.upload, self.download)

    @property
    def local_optimizer(self) -> Optimizer:
        """How a device learns, at the first round's rate."""
        return scheduled(self.optimizer, self.local_lr, 0, 1)

    def plan(self, network: Network) -> Plan:
        """Return the plan that the devices run."""
        return network.plan(self.optimizer.name, accumulate=self.batch > 1)

    def local(self, plan: Plan, image: bytes, support: int, round: int, rounds: int) -> LocalPlan:
        """Return what each client does in a round."""
        del plan
        samples = takes(self.local_steps, self.local_epochs, self.batch, support)
        optimizer = scheduled(self.optimizer, self.local_lr, round, rounds)
        return LocalPlan(
            image=image,
            phases=(optimizer.phase(samples, batch=self.batch),),
            clients=self.clients,
            upload=self.upload,
            download=self.download,
        )
