"""Near misses: devices that fail one condition, by how much; and what a smaller model would gain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shoal.catalog.matching.condition import NEVER, NOTHING, missing_of
from shoal.catalog.matching.shelf import USES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from shoal.catalog.matching.checking import Facts
    from shoal.catalog.matching.fleet import Fleet
    from shoal.catalog.matching.shelf import Shelf

__all__ = ["Gain", "WhatIf", "gains", "near_misses", "near_models"]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """How many devices a model fits, and how many it would fit with other needs.

    Examples
    --------
    >>> print(WhatIf(before=37, after=1137))
    fits 37 devices; 1,100 more
    """

    before: int
    after: int

    @property
    def more(self) -> int:
        """How many are gained; negative: lost."""
        return self.after - self.before

    def __str__(self) -> str:
        what = "more" if self.more >= 0 else "fewer"
        return (
            f"fits {self.before:,} {'device' if self.before == 1 else 'devices'}; {abs(self.more):,} {what}"
        )


@dataclass(frozen=True, slots=True)
class Gain:
    """What a model gains that needs less.

    Parameters
    ----------
    what
        `RAM` or `flash`.
    smaller
        By so many bytes.
    more
        So many more devices.

    Examples
    --------
    >>> print(Gain("RAM", 12_000, 1100))
    1,100 more if 12,000 B less RAM
    """

    what: str
    smaller: int
    more: int

    def __str__(self) -> str:
        return f"{self.more:,} more if {self.smaller:,} B less {self.what}"


class Wanted(NamedTuple):
    """A class of models with its amounts, and the groups where it runs."""

    klass: int
    ram: int
    flash: int
    groups: NDArray[np.bool_]


def near_misses(fleet: Fleet, wanted: Wanted, limit: int) -> NDArray[np.int64]:
    """Return the slots of the devices that fail one condition only, those first that miss least of it."""
    found, lacks = [], []
    for missing, slots in nearest(fleet, wanted, limit):
        found.append(slots)
        lacks.append(missing)
    if not found:
        return np.empty(0, np.int64)
    slots, lack = np.concatenate(found), np.concatenate(lacks)
    columns = fleet.columns
    return slots[np.lexsort((columns["key"][slots], -columns["ram"][slots], lack))[:limit]]


def nearest(
    fleet: Fleet, wanted: Wanted, limit: int
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Yield the nearest devices by each condition that alone fails, with what they miss of it."""
    columns = fleet.columns
    for name, need, slots in (
        ("ram", wanted.ram, fleet.short_of_ram(wanted.ram, wanted.flash, wanted.groups, limit)),
        ("flash", wanted.flash, fleet.short_of_flash(wanted.ram, wanted.flash, wanted.groups, limit)),
    ):
        lacks = [missing_of(need, have) for have in columns[name][slots].tolist()]
        yield np.array(lacks, np.float64), slots
    lack = fleet.traits.lacks_for(wanted.klass)
    left = limit
    for value in np.unique(lack[lack > 0]):
        slots = fleet.rows(wanted.ram, wanted.flash, lack == value, limit=left)
        yield np.full(len(slots), value), slots
        left -= len(slots)
        if left <= 0:
            return


def near_models(shelf: Shelf, facts: Facts, limit: int, *, training: bool) -> NDArray[np.int64]:
    """Return the slots of the models that fail one condition only, those first that miss least of it."""
    traits, columns = shelf.traits, shelf.columns
    failed, lack = traits.failed_by_class(traits.group(facts))
    slots = columns.used()
    ram, flash, kinds = (columns[name][slots] for name in USES[training])
    failed, lack = failed[kinds], lack[kinds]
    for need, have in ((ram, facts.ram), (flash, facts.flash)):
        short = need > have
        failed += short
        known = short & (need != NEVER) & (have != NOTHING)
        lack += np.where(known, (need - have) / np.maximum(need, 1), short)
    only = np.flatnonzero(failed == 1)
    order = np.lexsort((columns["key"][slots[only]], lack[only]))
    return slots[only[order[:limit]]]


def gains(fleet: Fleet, wanted: Wanted, what: str, limit: int) -> list[Gain]:
    """Return the smallest savings of RAM or flash that gain devices, each with all that it gains.

    Parameters
    ----------
    what
        `RAM` or `flash`.
    limit
        At most so many.
    """
    if what == "RAM":
        slots = fleet.short_of_ram(wanted.ram, wanted.flash, wanted.groups, len(fleet.columns))
        have, need = fleet.columns["ram"][slots], wanted.ram
    else:
        slots = fleet.short_of_flash(wanted.ram, wanted.flash, wanted.groups, len(fleet.columns))
        have, need = fleet.columns["flash"][slots], wanted.flash
    amounts, counts = np.unique(-have[have >= 0], return_counts=True)
    totals = np.cumsum(counts)
    return [
        Gain(what, need + amount, total)
        for amount, total in zip(amounts[:limit].tolist(), totals[:limit].tolist(), strict=True)
    ]
