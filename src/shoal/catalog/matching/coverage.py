"""All pairs: how many devices each model fits, and how many models each device runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shoal.catalog.matching.dominance import Points, beyond
from shoal.catalog.matching.fleet import Fleet
from shoal.catalog.matching.shelf import USES, Shelf

__all__ = ["Coverage", "coverage_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Which part of a fleet is covered.

    Parameters
    ----------
    models, devices
        Ids.
    by_model
        For each model, how many devices it fits.
    by_device
        For each device, how many models it runs; None where it was not asked for.
    """

    models: tuple[str, ...]
    devices: tuple[str, ...]
    by_model: NDArray[np.int64]
    by_device: NDArray[np.int64] | None

    @property
    def pairs(self) -> int:
        """How many pairs of a model and a device match."""
        return int(self.by_model.sum())

    @property
    def share(self) -> float:
        """The fraction of all pairs that match."""
        return self.pairs / max(1, len(self.models) * len(self.devices))

    @property
    def idle(self) -> tuple[str, ...]:
        """Devices that run no model; empty where it was not asked for."""
        if self.by_device is None:
            return ()
        return tuple(self.devices[row] for row in np.flatnonzero(self.by_device == 0))

    @property
    def homeless(self) -> tuple[str, ...]:
        """Models that fit no device."""
        return tuple(self.models[row] for row in np.flatnonzero(self.by_model == 0))


def coverage_of(shelf: Shelf, fleet: Fleet, *, training: bool, devices: bool) -> Coverage:
    """Return how many pairs match.

    Parameters
    ----------
    training
        Whether the models shall learn.
    devices
        Whether to count by device too, which takes as long again.
    """
    slots, rows = shelf.columns.used(), fleet.columns.used()
    needs = Points(*(shelf.columns[name][slots] for name in USES[training]))
    haves = Points(*(fleet.columns[name][rows] for name in ("ram", "flash", "group")))
    kinds, needs = distinct(needs)
    groups, haves = distinct(haves)
    suits = fleet.traits.all()[kinds][:, groups]
    by_device = None
    if devices:
        # A device runs a model that needs no more than it has: seen from the other side, all signs change.
        turned = Points(-needs.x, -needs.y, needs.kind)
        by_device = beyond(Points(-haves.x, -haves.y, haves.kind), turned, np.ascontiguousarray(suits.T))
    ids = fleet.columns.ids
    return Coverage(
        tuple(str(shelf.columns.ids[slot]) for slot in slots.tolist()),
        tuple(str(ids[slot]) for slot in rows.tolist()),
        beyond(needs, haves, suits),
        by_device,
    )


def distinct(points: Points) -> tuple[NDArray[np.int64], Points]:
    """Return the kinds that occur, and the points with these numbered anew."""
    kinds, kind = np.unique(points.kind, return_inverse=True)
    return kinds, points._replace(kind=kind)
