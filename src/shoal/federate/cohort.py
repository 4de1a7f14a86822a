"""Who computes a round: clients, simulated or real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from shoal.federate.local import LocalPlan, Update

__all__ = ["Cohort", "Served", "SerialCohort"]


@runtime_checkable
class Cohort(Protocol):
    """Who computes a round.

    The clients of a round, and what they compute, depend on nothing but the cohort's seed and the number of
    the round.
    """

    @property
    def support(self) -> int:
        """Samples that each client has."""

    def visit(
        self, plan: LocalPlan, parameters: NDArray[np.float32], round: int, places: range
    ) -> Iterator[Update]:
        """Let clients of a round learn.

        Parameters
        ----------
        plan
            What each of them does.
        parameters
            Where they start, (parameters,); not changed.
        round
            Number of the round.
        places
            Which of its `plan.clients` clients.

        Yields
        ------
        One update for each client that was reached, in order; none for the others.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """What a serial cohort answers for some rounds, (rounds,) each.

    Attributes
    ----------
    loss
        Mean loss of the clients that arrived, None where none did.
    clients, failed
        How many arrived and how many did not, among those that were reached.
    failures
        (round, client, reason) of each client that failed by itself.
    """

    loss: list[float | None]
    clients: NDArray[np.int64]
    failed: NDArray[np.int64]
    failures: tuple[tuple[int, int, str], ...]


@runtime_checkable
class SerialCohort(Cohort, Protocol):
    """A cohort that can let its clients follow each other through many rounds by itself."""

    def serve(
        self, plan: LocalPlan, parameters: NDArray[np.float32], rounds: range, rates: NDArray[np.float32]
    ) -> Served | None:
        """Let all clients of these rounds learn one after the other; after each, p = p + rate * (w - p).

        Parameters
        ----------
        plan
            What each of them does; every parameter travels, as float32.
        parameters
            (parameters,), changed in place.
        rounds
            Their numbers.
        rates
            Of the server, (rounds,).

        Returns
        -------
        None where values stopped being finite on the way: `parameters` are then as before, and the rounds are
        to be taken one by one.
        """
