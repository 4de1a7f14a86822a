"""All models: what each needs, and which come first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.catalog.matching.columns import Columns, key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from shoal.catalog.matching.needs import Needs
    from shoal.catalog.matching.traits import Traits

__all__ = ["Shelf", "Stock"]

# Figures of merit of which less is better.
COSTS = ("loss", "error", "latency", "energy", "perplexity")
# Columns of the needs to answer and to learn.
USES = {False: ("ram", "flash", "class"), True: ("ram learning", "flash learning", "class learning")}


@dataclass(frozen=True, slots=True)
class Stock:
    """What the shelf keeps of a model beside its needs."""

    size: int
    task: str
    metrics: Mapping[str, float]


class Shelf:
    """The models.

    Parameters
    ----------
    traits
        Knows the classes.
    """

    def __init__(self, traits: Traits) -> None:
        self.traits = traits
        self.columns = Columns(*USES[False], *USES[True], "size", "key")
        self.stock: dict[str, Stock] = {}
        self._orders: dict[str, NDArray[np.int64]] = {}

    def put(self, id: str, answer: Needs, learn: Needs, stock: Stock) -> None:
        """Add a model, or change it."""
        rows = [(one.ram, one.flash, self.traits.klass(one)) for one in (answer, learn)]
        self.columns.put(id, *rows[0], *rows[1], stock.size, key_of(id))
        self.stock[id] = stock
        self._orders.clear()

    def remove(self, id: str) -> None:
        """Remove a model; nothing happens where there is none."""
        self.columns.remove(id)
        self.stock.pop(id, None)
        self._orders.clear()

    def needs(self, id: str, *, training: bool) -> Needs:
        """Return what a model needs."""
        slot = self.columns.slots[id]
        ram, flash, klass = (int(self.columns[name][slot]) for name in USES[training])
        return self.traits.needs(klass, ram, flash)

    def rows(
        self, ram: int, flash: int, classes: NDArray[np.bool_], *, training: bool, metric: str, task: str
    ) -> NDArray[np.int64]:
        """Return the slots of models that need no more and are of these classes, the best first."""
        order = self.order(metric)
        names = USES[training]
        mask = (self.columns[names[0]][order] <= ram) & (self.columns[names[1]][order] <= flash)
        mask &= classes[self.columns[names[2]][order]]
        found = order[mask]
        if task:
            ids = self.columns.ids
            found = found[[self.stock[str(ids[slot])].task == task for slot in found.tolist()]]
        return found

    def order(self, metric: str) -> NDArray[np.int64]:
        """Return all slots: by a figure of merit, the best first and those without it last; then by size."""
        order = self._orders.get(metric)
        if order is None:
            slots = self.columns.used()
            ids = self.columns.ids
            sign = 1.0 if any(cost in metric.lower() for cost in COSTS) else -1.0
            merits = (self.stock[str(ids[slot])].metrics.get(metric) for slot in slots.tolist())
            rank = np.array([np.inf if merit is None else sign * merit for merit in merits])
            order = slots[np.lexsort((self.columns["key"][slots], self.columns["size"][slots], rank))]
            self._orders[metric] = order
        return order
