"""Reptile: the server moves towards the mean of what its clients learnt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shoal.federate import check
from shoal.federate.algorithms.base import Algorithm, check_codecs, check_optimizer, check_work, scheduled
from shoal.federate.codecs import Codec, Dense
from shoal.federate.local import LocalPlan
from shoal.federate.schedules import Rate, check_rate
from shoal.learn import SGD, Optimizer

if TYPE_CHECKING:
    from shoal.nn import Network, Plan

__all__ = ["Reptile"]


@dataclass(frozen=True, slots=True)
class Reptile(Algorithm):
    """Each client takes a few steps on batches of its data; phi = phi + server_lr * mean(w - phi).

    With one client and batches of one sample it is TinyReptile, bit for bit.

    Parameters
    ----------
    clients
        Clients in each round.
    local_steps
        Steps of a visit, each on the next `batch` samples.
    batch
        Samples of a step. With 1 each sample is learnt at once; otherwise the device keeps a second array of
        the parameters' size for the gradient.
    optimizer
        How a client learns. It starts anew in each visit.
    local_lr
        Rate of the client's steps where it changes over the rounds; None: the optimizer's own.
    server_lr
        Rate of the server; a number or a schedule.
    serial
        Moves the server after each client instead of after each round.
    upload, download
        How the change and the parameters travel.

    References
    ----------
    Nichol, Achiam, Schulman: On First-Order Meta-Learning Algorithms, 2018, arXiv 1803.02999, algorithms 1
    (serial) and 2 (batched).
    """

    clients: int = 5
    local_steps: int = 5
    batch: int = 10
    optimizer: Optimizer = field(default_factory=lambda: SGD(0.02))
    local_lr: Rate | None = None
    server_lr: Rate = 1.0
    serial: bool = False
    upload: Codec = field(default_factory=Dense)
    download: Codec = field(default_factory=Dense)

    def __post_init__(self) -> None:
        check.whole(self.clients, "clients")
        check.whole(self.batch, "batch")
        check_optimizer(self.optimizer)
        check_work(self.local_steps, None, self.local_lr)
        check_rate(self.server_lr, "server_lr")
        check.instance(self.serial, "serial", (bool,))
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
        del plan, support
        optimizer = scheduled(self.optimizer, self.local_lr, round, rounds)
        return LocalPlan(
            image=image,
            phases=(optimizer.phase(self.local_steps * self.batch, batch=self.batch),),
            clients=self.clients,
            upload=self.upload,
            download=self.download,
        )
