"""FedProx: federated averaging with a pull towards the server's parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shoal.federate.algorithms.fed_avg import FedAvg
from shoal.federate.schedules import check_value

if TYPE_CHECKING:
    from shoal.federate.local import LocalPlan
    from shoal.nn import Network, Plan

__all__ = ["FedProx"]


@dataclass(frozen=True, slots=True)
class FedProx(FedAvg):
    """Clients minimise L(w) + mu / 2 * |w - phi|**2, phi the parameters that they received; then as `FedAvg`.

    With `mu` 0 and batches of more than one sample it is FedAvg, bit for bit.

    Parameters
    ----------
    clients, local_epochs, local_steps, batch, optimizer, local_lr, server_lr, upload, download
        As for `FedAvg`.
    mu
        Strength of the pull.

    References
    ----------
    Li, Sahu, Zaheer, Sanjabi, Talwalkar, Smith: Federated Optimization in Heterogeneous Networks, MLSys 2020,
    algorithm 2 and equation 2.
    """

    mu: float = 0.01

    def __post_init__(self) -> None:
        FedAvg.__post_init__(self)
        check_value(self.mu, "mu")

    def plan(self, network: Network) -> Plan:
        """Return the plan that the devices run: gradients are added up, and the start is remembered."""
        return network.plan(self.optimizer.name, accumulate=True, anchor=True)

    def local(self, plan: Plan, image: bytes, support: int, round: int, rounds: int) -> LocalPlan:
        """Return what each client does in a round."""
        found = FedAvg.local(self, plan, image, support, round, rounds)
        return replace(found, phases=tuple(replace(one, proximal=self.mu) for one in found.phases))
