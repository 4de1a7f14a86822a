"""Memory of a plan on a device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.errors import ConfigError

if TYPE_CHECKING:
    from shoal.nn import Plan

__all__ = ["CORES", "Footprint", "footprint"]

# Bytes of the runtime's record of an open network (struct shoal), by size of a pointer.
_RECORD = {4: 188, 8: 216}

CORES = {
    **dict.fromkeys(
        (
            "cortex-m0+",
            "cortex-m3",
            "cortex-m4f",
            "cortex-m7",
            "cortex-m33",
            "cortex-m55",
            "rv32imc",
            "rv32imac",
            "rv32imafc",
            "xtensa-lx6",
            "xtensa-lx7",
        ),
        4,
    ),
    "host": 8,
}


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes that a network needs on a device.

    Attributes
    ----------
    ram
        What ``shoal_memory_needed()`` answers there: exact.
    flash
        Size of the image; the runtime's code comes on top.
    parts
        The same RAM by part.
    """

    ram: int
    flash: int
    parts: dict[str, int]


def footprint(plan: Plan, core: str = "cortex-m4f") -> Footprint:
    """Return the memory of a plan on a processor core.

    Raises
    ------
    ConfigError
        If the core is not known.
    """
    if core not in CORES:
        raise ConfigError(f"unknown core '{core}'", where="footprint", hint=f"one of {', '.join(CORES)}")
    pointer = CORES[core]
    record = -(-_RECORD[pointer] // pointer) * pointer
    parts = {**plan.ram(), "record": record}
    return Footprint(sum(parts.values()), len(plan.image()), parts)
