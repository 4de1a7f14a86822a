"""TinyReptile: Reptile for devices that hold one sample at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shoal.federate import check
from shoal.federate.algorithms.base import Algorithm, check_codecs
from shoal.federate.codecs import Codec, Dense
from shoal.federate.local import LocalPlan
from shoal.federate.schedules import Rate, check_rate, value_at
from shoal.learn import SGD

if TYPE_CHECKING:
    from shoal.nn import Network, Plan

__all__ = ["TinyReptile"]


@dataclass(frozen=True, slots=True)
class TinyReptile(Algorithm):
    """One client a round learns from a stream of samples; the server moves towards what it learnt.

    Client: w = phi, then for each sample (x, y): w = w - local_lr * grad L(w; x, y). Server: phi = phi +
    server_lr * (w - phi). Neither a support set nor the models of other clients are ever stored.

    Parameters
    ----------
    local_steps
        Samples, and so steps, of a visit.
    local_lr
        Rate of the client's steps; a number or a schedule over the rounds.
    server_lr
        Rate of the server; a number or a schedule. The paper lets it fall linearly.
    upload, download
        How the change and the parameters travel. As float32, a run is computed by the runtime in one go.

    References
    ----------
    Ren, Anicic, Runkler: TinyReptile: TinyML with Federated Meta-Learning, IJCNN 2023, arXiv 2304.05201,
    algorithm 1.

    Examples
    --------
    >>> TinyReptile(local_steps=32, local_lr=0.02, server_lr=1.0).clients
    1
    """

    local_steps: int = 32
    local_lr: Rate = 0.02
    server_lr: Rate = 1.0
    upload: Codec = field(default_factory=Dense)
    download: Codec = field(default_factory=Dense)

    def __post_init__(self) -> None:
        check.whole(self.local_steps, "local_steps")
        check_rate(self.local_lr, "local_lr")
        check_rate(self.server_lr, "server_lr")
        check_codecs(self.upload, self.download)

    @property
    def clients(self) -> int:
        """Clients in each round: one."""
        return 1

    @property
    def serial(self) -> bool:
        """Whether clients come one after the other: yes."""
        return True

    @property
    def local_optimizer(self) -> SGD:
        """How a device learns, at the first round's rate."""
        return SGD(value_at(self.local_lr, 0, 1))

    def plan(self, network: Network) -> Plan:
        """Return the plan that the devices run: each sample is learnt at once."""
        return network.plan("sgd")

    def local(self, plan: Plan, image: bytes, support: int, round: int, rounds: int) -> LocalPlan:
        """Return what the client does in a round."""
        del plan, support
        optimizer = SGD(value_at(self.local_lr, round, rounds))
        return LocalPlan(
            image=image,
            phases=(optimizer.phase(self.local_steps),),
            upload=self.upload,
            download=self.download,
        )
