"""What every algorithm answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING

from shoal.errors import ConfigError
from shoal.federate import check
from shoal.federate.codecs import Dense, Sign, TopP
from shoal.federate.schedules import Cosine, Linear, Rate, check_rate, value_at
from shoal.learn import SGD, Adam, Momentum, Optimizer

if TYPE_CHECKING:
    from shoal.federate.local import LocalPlan
    from shoal.nn import Network, Plan

__all__ = ["Algorithm", "check_codecs", "check_optimizer", "check_work", "scheduled", "takes"]


class Algorithm(ABC):
    """What a visit computes and how the server follows.

    The server moves its parameters p towards the weighted mean of what arrived: p = p + rate * mean(change).
    A serial algorithm does so after each client, any other after each round.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def clients(self) -> int:
        """Clients in each round."""

    @property
    def serial(self) -> bool:
        """Whether clients come one after the other, each to the parameters that the last one left."""
        return False

    @property
    @abstractmethod
    def local_optimizer(self) -> Optimizer:
        """How a device learns, which is also how a new one adapts."""

    @property
    @abstractmethod
    def server_lr(self) -> Rate:
        """How far the server moves."""

    @abstractmethod
    def plan(self, network: Network) -> Plan:
        """Return the plan that the devices run."""

    @abstractmethod
    def local(self, plan: Plan, image: bytes, support: int, round: int, rounds: int) -> LocalPlan:
        """Return what each client does in a round.

        Parameters
        ----------
        plan
            What :meth:`plan` answered.
        image
            Its bytes.
        support
            Samples that each client has.
        round, rounds
            Number of this round, from 0, and of all.
        """

    @property
    def steady(self) -> bool:
        """Whether clients do the same in every round: nothing but the server's rate is a schedule."""
        names = getattr(self, "__dataclass_fields__", {}).keys() - {"server_lr"}
        return not any(isinstance(getattr(self, name), Linear | Cosine) for name in names)

    def server_rate(self, round: int, rounds: int) -> float:
        """Return how far the server moves in a round."""
        return value_at(self.server_lr, round, rounds)


def check_codecs(upload: object, download: object = None) -> None:
    """Check how updates and parameters travel."""
    for name, codec in (("upload", upload), ("download", download)):
        if codec is not None:
            check.instance(codec, name, (Dense, TopP, Sign))


def check_optimizer(optimizer: object) -> None:
    """Check that this is an optimizer."""
    check.instance(optimizer, "optimizer", (SGD, Momentum, Adam))


def scheduled(optimizer: Optimizer, local_lr: Rate | None, round: int, rounds: int) -> Optimizer:
    """Return the optimizer of a round: with its own rate, or with that of the schedule."""
    return optimizer if local_lr is None else replace(optimizer, rate=value_at(local_lr, round, rounds))


def takes(local_steps: int | None, local_epochs: int | None, batch: int, support: int) -> int:
    """Return how many samples a visit takes."""
    return support * local_epochs if local_epochs is not None else (local_steps or 0) * batch


def check_work(local_steps: int | None, local_epochs: int | None, local_lr: Rate | None) -> None:
    """Check how long a visit learns: so many steps or so many passes over its data, and not both."""
    if (local_steps is None) == (local_epochs is None):
        raise ConfigError(
            f"local_steps is {local_steps} and local_epochs is {local_epochs}",
            where="local_steps",
            hint="one of the two",
        )
    if local_steps is not None:
        check.whole(local_steps, "local_steps")
    if local_epochs is not None:
        check.whole(local_epochs, "local_epochs")
    if local_lr is not None:
        check_rate(local_lr, "local_lr")
