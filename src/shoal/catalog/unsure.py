"""Devices that a model would fit, were it not for what nobody said of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.catalog.matching.condition import NEVER, NOTHING
from shoal.catalog.matching.needs import ALL, needs_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from shoal.catalog.documents import Model
    from shoal.catalog.matching import Index
    from shoal.catalog.matching.needs import Needs

__all__ = ["Unsure", "unsure"]


@dataclass(frozen=True, slots=True)
class Unsure:
    """What is not known of devices that fail nothing else.

    Parameters
    ----------
    count
        How many there are.
    device
        Id of one of them; empty where there is none.
    unknown
        The conditions that nobody said anything of, on that one.
    """

    count: int = 0
    device: str = ""
    unknown: tuple[str, ...] = ()


def unsure(index: Index, model: Model, *, training: bool = False, rule: Collection[str] = ALL) -> Unsure:
    """Return the devices that fail no condition but those of which nothing is known.

    Examples
    --------
    >>> from shoal.catalog.documents import Capacity, Hardware, Model, Need
    >>> from shoal.catalog.matching import Index
    >>> index = Index()
    >>> index.put_device("urn:a", Hardware(ram=Capacity(total=4096)))
    >>> wake = Model(sha256="0" * 64, name="wake", version="1.0.0", format="tflite", size=8,
    ...              inference=Need(bytes=1024))
    >>> unsure(index, wake)
    Unsure(count=1, device='urn:a', unknown=('operators', 'flash'))
    """
    needs = needs_of(model, training=training, rule=rule)
    if NEVER in (needs.ram, needs.flash):
        return Unsure()  # of the model itself something is not known
    with index.lock:
        columns = index.fleet.columns
        slots = columns.used()
        groups = columns["group"][slots]
        sure, open_ = judged(index, needs, groups)
        for name, need in (("ram", needs.ram), ("flash", needs.flash)):
            have = columns[name][slots]
            sure &= have >= need
            open_ &= (have >= need) | (have == NOTHING)
        found = index.fleet.ids(slots[open_ & ~sure])
    if not found:
        return Unsure()
    match = index.devices_for(model, training=training, rule=rule).match(found[0])
    return Unsure(len(found), found[0], tuple(one.name for one in match.conditions if not one.fits))


def judged(
    index: Index, needs: Needs, groups: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return of each device whether it meets all but memory, and whether it fails nothing that is known."""
    klass = index.traits.klass(needs)
    kinds, places = np.unique(groups, return_inverse=True)
    sure, open_ = np.ones(len(kinds), bool), np.ones(len(kinds), bool)
    for i, group in enumerate(kinds.tolist()):
        failed = [one for one in index.traits.conditions(klass, group) if not one.fits]
        clock = index.traits.groups.keys[group].clock
        sure[i] = not failed and clock >= needs.clock
        open_[i] = not any(one.known for one in failed) and (clock >= needs.clock or clock == NOTHING)
    return sure[places], open_[places]
