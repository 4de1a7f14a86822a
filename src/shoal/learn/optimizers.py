"""Optimizers: how a gradient becomes a step. The arithmetic is the runtime's (``runtime/IMAGE.md``)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from shoal.errors import ConfigError
from shoal.runtime import Phase

if TYPE_CHECKING:
    from shoal.nn.plan import Optimizer as Name

__all__ = ["SGD", "Adam", "Momentum", "Optimizer"]


def _check(optimizer: object, name: str, value: float, end: float = math.inf) -> None:
    if not 0 <= value < end:
        limit = "0 or more" if end == math.inf else f"from 0 to below {end:g}"
        raise ConfigError(
            f"{name} is {value}", where=type(optimizer).__name__, hint=f"{name}: {limit}, finite"
        )


@dataclass(frozen=True, slots=True)
class SGD:
    """Stochastic gradient descent: ``w = w - rate * g``.

    Parameters
    ----------
    rate
        Learning rate, 0 or more.

    Raises
    ------
    ConfigError
        If the rate is negative or not finite.
    """

    rate: float = 0.01
    name: ClassVar[Name] = "sgd"

    def __post_init__(self) -> None:
        _check(self, "rate", self.rate)

    def phase(
        self, samples: int = 1, *, batch: int = 1, proximal: float = 0.0, frozen: tuple[int, ...] = ()
    ) -> Phase:
        """Return these settings for the runtime."""
        return Phase(self.rate, samples, batch=batch, proximal=proximal, frozen=frozen)


@dataclass(frozen=True, slots=True)
class Momentum:
    """Momentum: ``m = momentum * m + g``, ``w = w - rate * m`` (Polyak, 1964).

    Parameters
    ----------
    rate
        Learning rate, 0 or more.
    momentum
        Share of the last step that is kept, from 0 to below 1.

    Raises
    ------
    ConfigError
        If a setting is outside its range.
    """

    rate: float = 0.01
    momentum: float = 0.9
    name: ClassVar[Name] = "momentum"

    def __post_init__(self) -> None:
        _check(self, "rate", self.rate)
        _check(self, "momentum", self.momentum, 1)

    def phase(
        self, samples: int = 1, *, batch: int = 1, proximal: float = 0.0, frozen: tuple[int, ...] = ()
    ) -> Phase:
        """Return these settings for the runtime."""
        return Phase(
            self.rate, samples, batch=batch, momentum=self.momentum, proximal=proximal, frozen=frozen
        )


@dataclass(frozen=True, slots=True)
class Adam:
    """Adam (Kingma and Ba, 2015, algorithm 1); needs three times the memory of the parameters.

    Parameters
    ----------
    rate
        Learning rate, 0 or more.
    beta1, beta2
        Decay of the mean gradient and of the mean squared gradient, from 0 to below 1.
    epsilon
        Added to the root, above 0.

    Raises
    ------
    ConfigError
        If a setting is outside its range.
    """

    rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-7
    name: ClassVar[Name] = "adam"

    def __post_init__(self) -> None:
        _check(self, "rate", self.rate)
        _check(self, "beta1", self.beta1, 1)
        _check(self, "beta2", self.beta2, 1)
        _check(self, "epsilon", self.epsilon)
        if self.epsilon == 0:
            raise ConfigError("epsilon is 0", where="Adam", hint="epsilon: above 0, for instance 1e-7")

    def phase(
        self, samples: int = 1, *, batch: int = 1, proximal: float = 0.0, frozen: tuple[int, ...] = ()
    ) -> Phase:
        """Return these settings for the runtime."""
        return Phase(
            self.rate,
            samples,
            batch=batch,
            beta1=self.beta1,
            beta2=self.beta2,
            epsilon=self.epsilon,
            proximal=proximal,
            frozen=frozen,
        )


Optimizer: TypeAlias = SGD | Momentum | Adam
