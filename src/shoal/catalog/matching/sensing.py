"""Sensors: what must be observed, and what is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shoal.catalog.matching.condition import NOT_KNOWN, Condition, amount
from shoal.catalog.vocabulary import PROPERTIES, UNITS, ancestors, unit_factor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shoal.catalog.documents import Sensor, SensorNeed

__all__ = ["Observation", "Sensors", "channels", "observation", "observations", "sensor"]


class Observation(NamedTuple):
    """A property with range, rate and axes, in the property's own unit; None: not asked for, or not known."""

    observes: str
    low: float | None = None
    high: float | None = None
    rate: float | None = None
    axes: int | None = None


# What a device observes; None where nobody said.
Sensors = tuple[Observation, ...] | None


def observation(given: Sensor | SensorNeed) -> Observation:
    """Return a sensor or a need in the unit of its property.

    Examples
    --------
    >>> from shoal.catalog.documents import Sensor
    >>> observation(Sensor(observes="acceleration", low=-39.2266, high=39.2266, unit="M-PER-SEC2"))
    Observation(observes='acceleration', low=-4.0, high=4.0, rate=None, axes=None)
    """
    low, high = given.low, given.high
    if low is not None and high is not None:
        scale, offset = unit_factor(given.unit, given.observes)
        # Nine digits: the same range in two units is the same range.
        low, high = (float(f"{scale * value + offset:.9g}") for value in (low, high))
    return Observation(given.observes, low, high, given.rate_hz, given.axes)


def observations(sensors: Iterable[Sensor] | None) -> Sensors:
    """Return the sensors of a device, sorted, each once."""
    if sensors is None:
        return None
    return tuple(sorted({observation(one) for one in sensors}, key=repr))


def sensor(need: Observation, sensors: Sensors) -> Condition:
    """Return whether one of the sensors observes what is needed, or the one that misses least.

    Examples
    --------
    >>> need = Observation("acceleration", rate=104.0, axes=3)
    >>> print(sensor(need, (Observation("acceleration", -4, 4, 62.5, 3),)))
    sensor: acceleration: needs 104 Hz, 3 axes, has -4 to 4 g, 62.5 Hz, 3 axes, 41.5 Hz short
    >>> sensor(need, (Observation("vibration", rate=26667, axes=3),)).fits  # a kind of acceleration
    True
    """
    name = f"sensor: {need.observes}"
    wanted = described(need) or "any"
    kin = [one for one in sensors or () if need.observes in ancestors(one.observes)]
    if not kin:
        have = NOT_KNOWN if sensors is None else "none"
        return Condition(name, wanted, have, None, fits=False, missing=1.0, known=sensors is not None)
    best = min(kin, key=lambda one: (missing(need, one), repr(one)))
    lack = missing(need, best)
    rates = (best.rate, need.rate)
    margin = None if None in rates else rates[0] - rates[1]  # type: ignore[operator]
    have = described(best, need) or "any"
    if best.observes != need.observes:
        have = f"{best.observes}, {have}"
    known = lack == 0 or not any(may_meet(need, one) for one in kin)
    return Condition(name, wanted, have, margin, fits=lack == 0, missing=lack, unit="Hz", known=known)


def missing(need: Observation, have: Observation) -> float:
    """Return the fraction of a need that a sensor misses: of range, rate and axes the worst."""
    return max(
        covered(need, have),
        short(need.rate, have.rate),
        short(need.axes, have.axes),
    )


def may_meet(need: Observation, have: Observation) -> bool:
    """Whether a sensor meets a need as far as anything is known of it."""
    ranges = None not in (have.low, have.high) and covered(need, have) > 0
    amounts = ((need.rate, have.rate), (need.axes, have.axes))
    return not ranges and not any(given is not None and short(asked, given) for asked, given in amounts)


def short(need: float | None, have: float | None) -> float:
    """Return the fraction of an amount that is missing, all of it where it is not known."""
    if need is None:
        return 0.0
    return 1.0 if have is None else min(1.0, max(0.0, (need - have) / need))


def covered(need: Observation, have: Observation) -> float:
    """Return the fraction of a range that is not covered."""
    if need.low is None or need.high is None:
        return 0.0
    if have.low is None or have.high is None:
        return 1.0
    outside = max(0.0, have.low - need.low) + max(0.0, need.high - have.high)
    return min(1.0, outside / (need.high - need.low))


def channels(count: int, needs: tuple[Observation, ...], sensors: Sensors) -> Condition:
    """Return whether the sensors that meet the needs give as many channels as the input has."""
    axes: list[list[int | None]] = []
    for need in dict.fromkeys(needs):
        kin = [one for one in sensors or () if need.observes in ancestors(one.observes)]
        met = [one.axes for one in kin if not missing(need, one)]
        axes.append(met or [None for one in kin if may_meet(need, one)])
    wanted = f"{count} {'channel' if count == 1 else 'channels'}"
    known = [max((n for n in of if n is not None), default=None) if of else 0 for of in axes]
    if None in known:
        return Condition("input", wanted, NOT_KNOWN, None, fits=False, missing=1.0, known=False)
    have = sum(n for n in known if n is not None)
    lack = short(count, have)
    return Condition("input", wanted, str(have), have - count, fits=lack == 0, missing=lack)


def described(one: Observation, need: Observation | None = None) -> str:
    """Return range, rate and axes in words; with a need, also what is not known of what it asks for."""
    unit = PROPERTIES[one.observes].unit if one.observes in PROPERTIES else ""
    symbol = f" {UNITS[unit].symbol}" if unit else ""
    parts = [
        "" if one.low is None else f"{one.low:g} to {one.high:g}{symbol}",
        "" if one.rate is None else amount(one.rate, "Hz"),
        "" if one.axes is None else f"{one.axes} {'axis' if one.axes == 1 else 'axes'}",
    ]
    if need is not None:
        asked = (need.low, need.rate, need.axes)
        names = ("range", "rate", "axes")
        parts = [
            f"{name} {NOT_KNOWN}" if not part and wanted is not None else part
            for part, wanted, name in zip(parts, asked, names, strict=True)
        ]
    return ", ".join(filter(None, parts))
