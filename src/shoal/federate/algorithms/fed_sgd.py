"""Federated SGD: one gradient from each client."""

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

__all__ = ["FedSGD"]


@dataclass(frozen=True, slots=True)
class FedSGD(Algorithm):
    """Each client sends the gradient over all its data; the server takes one step with the weighted mean.

    With one client it is SGD on that client's data, bit for bit; with several it is SGD on the pooled data,
    to the rounding of float32.

    Parameters
    ----------
    clients
        Clients in each round.
    server_lr
        Rate of the step; a number or a schedule.
    upload, download
        How the gradient and the parameters travel.

    References
    ----------
    McMahan, Moore, Ramage, Hampson, Agüera y Arcas: Communication-Efficient Learning of Deep Networks from
    Decentralized Data, AISTATS 2017, section 2.
    """

    clients: int = 10
    server_lr: Rate = 0.02
    upload: Codec = field(default_factory=Dense)
    download: Codec = field(default_factory=Dense)

    def __post_init__(self) -> None:
        check.whole(self.clients, "clients")
        check_rate(self.server_lr, "server_lr")
        check_codecs(self.upload, self.download)

    @property
    def local_optimizer(self) -> SGD:
        """How a new device adapts: by steps of the server's first rate."""
        return SGD(value_at(self.server_lr, 0, 1))

    def plan(self, network: Network) -> Plan:
        """Return the plan that the devices run.

        Momentum without memory (m = 0 * m + g) leaves the mean gradient in the slot of m, exact to the bit;
        the change of the parameters would have lost digits.
        """
        return network.plan("momentum", accumulate=True)

    def local(self, plan: Plan, image: bytes, support: int, round: int, rounds: int) -> LocalPlan:
        """Return what each client does in a round."""
        del plan, round, rounds
        return LocalPlan(
            image=image,
            phases=(Momentum(0.0, 0.0).phase(support, batch=support),),
            clients=self.clients,
            upload=self.upload,
            download=self.download,
            gradient=1.0,
        )
