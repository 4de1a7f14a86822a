"""Joint training: everybody's samples in one place, the classic before fine-tuning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shoal.federate import check
from shoal.federate.algorithms.base import Algorithm, check_optimizer, scheduled
from shoal.federate.local import LocalPlan
from shoal.federate.schedules import Rate, check_rate
from shoal.learn import SGD, Optimizer

if TYPE_CHECKING:
    from shoal.nn import Network, Plan

__all__ = ["JointTraining"]


@dataclass(frozen=True, slots=True)
class JointTraining(Algorithm):
    """The server learns from the samples of many clients, taken in turns: one of each, then the next of each.

    A baseline, not a federated algorithm: the samples themselves travel, and are counted as bytes. A new
    device adapts by fine-tuning, as after any other algorithm.

    Parameters
    ----------
    clients
        Clients whose samples are pooled in a round.
    local_samples
        Samples of each client; None for all that it has.
    batch
        Samples of a step.
    optimizer
        How the server learns. It starts anew in each round.
    local_lr
        Rate of the steps where it changes over the rounds; None: the optimizer's own.

    References
    ----------
    Caruana: Multitask Learning, Machine Learning 28, 1997. The baseline of Finn, Abbeel, Levine, ICML 2017,
    section 5.1.
    """

    clients: int = 10
    local_samples: int | None = None
    batch: int = 10
    optimizer: Optimizer = field(default_factory=lambda: SGD(0.02))
    local_lr: Rate | None = None

    def __post_init__(self) -> None:
        check.whole(self.clients, "clients")
        if self.local_samples is not None:
            check.whole(self.local_samples, "local_samples")
        check.whole(self.batch, "batch")
        check_optimizer(self.optimizer)
        if self.local_lr is not None:
            check_rate(self.local_lr, "local_lr")

    @property
    def server_lr(self) -> Rate:
        """How far the server moves: all the way."""
        return 1.0

    @property
    def local_optimizer(self) -> Optimizer:
        """How the server learns, and a new device after it."""
        return scheduled(self.optimizer, self.local_lr, 0, 1)

    def plan(self, network: Network) -> Plan:
        """Return the plan that learns."""
        return network.plan(self.optimizer.name, accumulate=self.batch > 1)

    def local(self, plan: Plan, image: bytes, support: int, round: int, rounds: int) -> LocalPlan:
        """Return what the server does in a round."""
        del plan
        samples = self.clients * (support if self.local_samples is None else self.local_samples)
        optimizer = scheduled(self.optimizer, self.local_lr, round, rounds)
        return LocalPlan(
            image=image,
            phases=(optimizer.phase(samples, batch=self.batch),),
            clients=self.clients,
            pooled=True,
        )
