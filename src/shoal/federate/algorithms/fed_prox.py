"""FedProx: federated averaging with a pull towards the server's parameters."""

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
from shoal.federate.schedules import Rate, check_rate, check_value
from shoal.learn import SGD, Optimizer

if TYPE_CHECKING:
    from shoal.nn import Network, Plan

__all__ = ["FedProx"]


@dataclass(frozen=True, slots=True)
class FedProx(Algorithm):
    """Clients minimise L(w) + mu / 2 * |w - phi|**2, phi the parameters that they received; then as `FedAvg`.

    With `mu` 0 and batches of more than one sample it is FedAvg, bit for bit.

    Parameters
    ----------
    mu
        Strength of the pull.
    clients, local_epochs, local_steps, batch, optimizer, local_lr, server_lr, upload, download
        As for `FedAvg`.

    References
    ----------
    Li, Sahu, Zaheer, Sanjabi, Talwalkar, Smith: Federated Optimization in Heterogeneous Networks, MLSys 2020,
    algorithm 2 and equation 2.
    """

    mu: float = 0.01
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
        check_value(self.mu, "mu")
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
        """Return the plan that the devices run: gradients are added up, and the start is remembered."""
        return network.plan(self.optimizer.name, accumulate=True, anchor=True)

    def local(self, plan: Plan, image: bytes, support: int, round: int, rounds: int) -> LocalPlan:
        """Return what each client does in a round."""
        del plan
        samples = takes(self.local_steps, self.local_epochs, self.batch, support)
        optimizer = scheduled(self.optimizer, self.local_lr, round, rounds)
        return LocalPlan(
            image=image,
            phases=(optimizer.phase(samples, batch=self.batch, proximal=self.mu),),
            clients=self.clients,
            upload=self.upload,
            download=self.download,
        )
