"""Values that change over a run; a number stands for one that does not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

from shoal.errors import ConfigError

__all__ = ["Constant", "Cosine", "Linear", "Rate", "Schedule", "check_rate", "value_at"]


def check_value(value: object, name: str) -> None:
    """Check a value of a rate: a finite number of at least 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ConfigError(f"{name} is {value!r}", where=name, hint=f"{name}: a finite number of at least 0")


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value in every round.

    Parameters
    ----------
    level
        The value, at least 0.

    Examples
    --------
    >>> Constant(0.5).value(3, 10)
    0.5
    """

    level: float

    def __post_init__(self) -> None:
        check_value(self.level, "level")

    def value(self, round: int, rounds: int) -> float:
        """Return the value in round `round`, 0 to rounds - 1."""
        del round, rounds
        return self.level


@dataclass(frozen=True, slots=True)
class Linear:
    """A straight line: ``start`` in the first round, ``end`` in the last.

    Parameters
    ----------
    start, end
        Values, at least 0.

    Examples
    --------
    >>> [Linear(1, 0).value(round, 5) for round in range(5)]
    [1.0, 0.75, 0.5, 0.25, 0.0]
    """

    start: float
    end: float

    def __post_init__(self) -> None:
        check_value(self.start, "start")
        check_value(self.end, "end")

    def value(self, round: int, rounds: int) -> float:
        """Return the value in round `round`, 0 to rounds - 1."""
        return self.start + (self.end - self.start) * progress(round, rounds)


@dataclass(frozen=True, slots=True)
class Cosine:
    """Half a cosine wave from ``start`` in the first round to ``end`` in the last.

    Parameters
    ----------
    start, end
        Values, at least 0.

    References
    ----------
    Loshchilov, Hutter: SGDR: Stochastic Gradient Descent with Warm Restarts, ICLR 2017, equation 5, one
    period.

    Examples
    --------
    >>> [round(Cosine(1, 0).value(r, 5), 3) for r in range(5)]
    [1.0, 0.854, 0.5, 0.146, 0.0]
    """

    start: float
    end: float

    def __post_init__(self) -> None:
        check_value(self.start, "start")
        check_value(self.end, "end")

    def value(self, round: int, rounds: int) -> float:
        """Return the value in round `round`, 0 to rounds - 1."""
        return self.end + (self.start - self.end) * (1 + math.cos(math.pi * progress(round, rounds))) / 2


Schedule: TypeAlias = Constant | Linear | Cosine
Rate: TypeAlias = float | Schedule


def progress(round: int, rounds: int) -> float:
    """Return how far a run is: 0 in its first round, 1 in its last."""
    return round / (rounds - 1) if rounds > 1 else 0.0


def check_rate(rate: object, name: str) -> None:
    """Check a rate: a schedule, or a finite number of at least 0."""
    if not isinstance(rate, Constant | Linear | Cosine):
        check_value(rate, name)


def value_at(rate: Rate, round: int, rounds: int) -> float:
    """Return a rate's value in round `round`, 0 to rounds - 1."""
    return rate if isinstance(rate, int | float) else rate.value(round, rounds)
