"""The sensors of the reference ontology: a class and a text."""

from __future__ import annotations

import re
from typing import Any

from shoal.catalog.vocabulary import PROPERTIES, UNITS, property_named, unit_named

__all__ = ["OTHER", "needs", "observed"]

# What an OtherSensor observes: something without a name, so no device is known to observe it.
OTHER = "other"

RANGE = re.compile(r"\[\s*([-+]?\d+(?:\.\d+)?)\s*,\s*([-+]?\d+(?:\.\d+)?)\s*\]\s*([A-Za-z°/%_-]+)")
RATE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:Hz|sps)\b", re.IGNORECASE)


def observed(title: str, unit: str) -> str | None:
    """Return what a property of a device observes: as its unit says, else its title.

    Examples
    --------
    >>> observed("Orientation", "om:degress_per_second"), observed("sound", ""), observed("Status", "")
    ('angular velocity', 'sound', None)
    """
    named = unit_named(unit)
    if named is not None:
        for name, term in PROPERTIES.items():
            if term.unit and UNITS[term.unit].quantity == named.quantity:
                return name
    return property_named(title)


def named_property(kind: str) -> str | None:
    """Return what sensors of a class observe, None if it is no such class."""
    return OTHER if kind == "sosa_extend:OtherSensor" else property_named(kind)


def needs(classes: list[str], text: str) -> list[dict[str, Any]]:
    """Return the needs of sensors by their class, with ranges and the rate that a text states.

    Examples
    --------
    >>> needs(["sosa_extend:Accelerometer"], "tested on LSM9DS1 Range: [-4, +4] g  119 Hz")
    [{'observes': 'acceleration', 'rate_hz': 119.0, 'low': -4.0, 'high': 4.0, 'unit': 'G'}]
    """
    text = text[:1000]
    rate = RATE.search(text)
    found: list[dict[str, Any]] = []
    for name in dict.fromkeys(filter(None, map(named_property, classes))):
        need: dict[str, Any] = {"observes": name}
        if rate is not None:
            need["rate_hz"] = float(rate[1])
        for low, high, unit in RANGE.findall(text):
            named = unit_named(unit)
            if named is not None and observed("", named.name) == name:
                need |= {"low": float(low), "high": float(high), "unit": named.name}
        found.append(need)
    return sorted(found, key=lambda need: str(need["observes"]))
