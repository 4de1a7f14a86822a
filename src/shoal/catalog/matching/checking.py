"""The definition of a match: every condition of one model on one device."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from shoal.catalog.matching.condition import NEVER, NOT_KNOWN, NOTHING, Condition, amount, missing_of
from shoal.catalog.matching.licensing import Licences, licence
from shoal.catalog.matching.needs import ALL, Needs, SensorsNeed, needs_of
from shoal.catalog.matching.running import Engines, RuntimeNeed, engines, operators, runtime
from shoal.catalog.matching.sensing import Sensors, channels, observations, sensor

if TYPE_CHECKING:
    from collections.abc import Collection

    from shoal.catalog.documents import Capacity, Hardware, Model

__all__ = [
    "Facts",
    "amounts",
    "check",
    "conditions",
    "facts_of",
    "licence_conditions",
    "runtime_conditions",
    "sensor_conditions",
]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a device has, as far as it matters for matching.

    Parameters
    ----------
    sensors, runtimes, licences
        None where nobody said; of licences: all.
    ram, flash
        Free bytes; `NOTHING` where they are not known.
    clock
        Hz; `NOTHING` where it is not known.
    """

    sensors: Sensors = None
    runtimes: Engines = None
    licences: Licences = None
    ram: int = NOTHING
    flash: int = NOTHING
    clock: int = NOTHING


def check(
    model: Model, hardware: Hardware, *, training: bool = False, rule: Collection[str] = ALL
) -> tuple[Condition, ...]:
    """Return every condition that a model makes, and whether the hardware meets it.

    Parameters
    ----------
    training
        Whether the model shall learn there, not only answer.
    rule
        What is asked; `REFERENCE_RULE` is that of the reference system.

    Examples
    --------
    >>> from shoal.catalog.documents import Capacity, Hardware, Model, Need, Operator, Runtime
    >>> softmax = Operator(name="SOFTMAX", version=2, dtype="int8")
    >>> wake = Model(sha256="0" * 64, name="wake", version="1.0.0", format="tflite", size=18712,
    ...              inference=Need(bytes=7584), operators=[softmax])
    >>> small = Hardware(ram=Capacity(total=6144), flash=Capacity(total=65536),
    ...                  runtimes=[Runtime(name="shoal")])
    >>> for condition in check(wake, small):
    ...     print(condition)
    operators: needs SOFTMAX, has all in shoal
    RAM: needs 7,584 B, has 6,144 B, 1,440 B short
    flash: needs 18,712 B, has 65,536 B
    """
    return conditions(needs_of(model, training=training, rule=rule), facts_of(hardware))


def facts_of(hardware: Hardware) -> Facts:
    """Return what a device has."""
    allowed = hardware.licences
    return Facts(
        observations(hardware.sensors),
        engines(hardware.runtimes),
        None if allowed is None else tuple(sorted({one.lower() for one in allowed})),
        free(hardware.ram),
        free(hardware.flash),
        NOTHING if hardware.clock_hz is None else hardware.clock_hz,
    )


def free(capacity: Capacity | None) -> int:
    """Return the free bytes, `NOTHING` where they are not known."""
    return NOTHING if capacity is None else capacity.free


def conditions(needs: Needs, facts: Facts) -> tuple[Condition, ...]:
    """Return every condition."""
    return (
        *sensor_conditions(needs.sensors, facts.sensors),
        *runtime_conditions(needs.runtime, facts.runtimes),
        *licence_conditions(needs.licence, facts.licences),
        *amounts(needs, facts.ram, facts.flash, facts.clock),
    )


def sensor_conditions(need: SensorsNeed, sensors: Sensors) -> list[Condition]:
    """Return the conditions that sensors decide."""
    found = [sensor(one, sensors) for one in need.needs]
    if need.channels:
        found.append(channels(need.channels, need.needs, sensors))
    return found


def runtime_conditions(need: RuntimeNeed, runtimes: Engines) -> list[Condition]:
    """Return the conditions that runtimes decide."""
    found = []
    if need.name or need.version or need.training:
        found.append(runtime(need, runtimes))
    if need.operators is not None:
        found.append(operators(need, runtimes))
    return found


def licence_conditions(need: str | None, licences: Licences) -> list[Condition]:
    """Return the condition that the licences decide that may run."""
    return [] if need is None or (not need and licences is None) else [licence(need, licences)]


def amounts(needs: Needs, ram: int, flash: int, clock: int) -> list[Condition]:
    """Return the conditions of RAM, flash and clock, next to what a device has of them."""
    pairs = (
        ("RAM", needs.ram, ram, "B"),
        ("flash", needs.flash, flash, "B"),
        ("clock", needs.clock, clock, "Hz"),
    )
    return [numeric(*pair) for pair in pairs if pair[1] != NOTHING]


@lru_cache(1 << 14)  # most devices are of few kinds
def numeric(name: str, need: int, have: int, unit: str) -> Condition:
    """Return the condition of an amount."""
    wanted = NOT_KNOWN if need == NEVER else amount(need, unit)
    given = NOT_KNOWN if have == NOTHING else amount(have, unit)
    known = need != NEVER and have != NOTHING
    margin = have - need if known else None
    return Condition(
        name, wanted, given, margin, fits=have >= need, missing=missing_of(need, have), unit=unit, known=known
    )
