"""Per-FedAvg: federated averaging of a start that is one step away from good."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shoal.federate import check
from shoal.federate.algorithms.base import Algorithm, check_codecs
from shoal.federate.codecs import Codec, Dense
from shoal.federate.local import LocalPlan
from shoal.federate.schedules import Rate, check_rate, value_at
from shoal.learn import SGD, Momentum

if TYPE_CHECKING:
    from shoal.nn import Network, Plan

__all__ = ["PerFedAvg"]


@dataclass(frozen=True, slots=True)
class PerFedAvg(Algorithm):
    """Clients follow the gradient after one step of adaptation, first-order variant.

    Each of the `local_steps` takes two batches D and D': w' = w - alpha * grad L(w; D), then
    w = w - beta * grad L(w'; D'). The server takes the mean, as `FedAvg`.

    Parameters
    ----------
    clients
        Clients in each round.
    local_steps
        Steps of a visit, each on two batches.
    batch
        Samples of a batch.
    alpha
        Rate of the adaptation; a number or a schedule.
    beta
        Rate of the steps; a number or a schedule.
    server_lr
        Rate of the server; a number or a schedule.
    upload, download
        How the change and the parameters travel.

    References
    ----------
    Fallah, Mokhtari, Ozdaglar: Personalized Federated Learning with Theoretical Guarantees, NeurIPS 2020,
    algorithm 1 with the first-order approximation of section 5 (FO).
    """

    clients: int = 10
    local_steps: int = 1
    batch: int = 10
    alpha: Rate = 0.02
    beta: Rate = 0.02
    server_lr: Rate = 1.0
    upload: Codec = field(default_factory=Dense)
    download: Codec = field(default_factory=Dense)

    def __post_init__(self) -> None:
        check.whole(self.clients, "clients")
        check.whole(self.local_steps, "local_steps")
        check.whole(self.batch, "batch")
        check_rate(self.alpha, "alpha")
        check_rate(self.beta, "beta")
        check_rate(self.server_lr, "server_lr")
        check_codecs(self.upload, self.download)

    @property
    def local_optimizer(self) -> SGD:
        """How a new device adapts, at the first round's rate."""
        return SGD(value_at(self.alpha, 0, 1))

    def plan(self, network: Network) -> Plan:
        """Return the plan that the devices run; momentum without memory keeps the gradient, see `FedSGD`."""
        return network.plan("momentum", accumulate=True)

    def local(self, plan: Plan, image: bytes, support: int, round: int, rounds: int) -> LocalPlan:
        """Return what each client does in a round."""
        del plan, support
        adapt = Momentum(value_at(self.alpha, round, rounds), 0.0)
        return LocalPlan(
            image=image,
            phases=(
                adapt.phase(self.batch, batch=self.batch),
                Momentum(0.0, 0.0).phase(self.batch, batch=self.batch),
            ),
            clients=self.clients,
            upload=self.upload,
            download=self.download,
            gradient=value_at(self.beta, round, rounds),
            repeats=self.local_steps,
        )
