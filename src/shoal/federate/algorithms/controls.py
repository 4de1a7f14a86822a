"""The two controls that belong into every plot of adaptation."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.federate import check

__all__ = ["Control", "FromScratch", "NoAdaptation"]


@dataclass(frozen=True, slots=True)
class NoAdaptation:
    """The device uses the start as it is: what meta-learning must beat with its first step."""


@dataclass(frozen=True, slots=True)
class FromScratch:
    """The device starts from random parameters and takes the same steps: what the start must beat.

    Parameters
    ----------
    seed
        Of the random parameters; each device draws its own.
    """

    seed: int = 0

    def __post_init__(self) -> None:
        check.seed(self.seed)


Control = NoAdaptation | FromScratch
