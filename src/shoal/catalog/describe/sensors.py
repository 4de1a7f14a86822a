"""Sensors in one line: what a device has, or what a model needs observed."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

from shoal.catalog.documents import SensorNeed
from shoal.catalog.documents.document import problems
from shoal.catalog.vocabulary.terms import PROPERTIES, property_named
from shoal.errors import DocumentError

__all__ = ["observations", "sensor_needs"]

PLACE = "input.sensors"
NUMBER = r"[-+]?\d{1,30}(?:\.\d{1,30})?(?:[eE][-+]?\d{1,3})?"
RANGE = re.compile(rf"({NUMBER})\s*\.\.\s*({NUMBER})\s*(\S*)")
RATE = re.compile(rf"({NUMBER})\s*(Hz|kHz)")
AXES = re.compile(r"(\d{1,4})\s*(?:axes|axis|channels?)")


def observations(text: str) -> list[dict[str, Any]]:
    """Return the fields of sensors.

    Parameters
    ----------
    text
        Sensors, apart by semicolons: a property or a class of sensors, then, in any order and after commas, a
        range with its unit, a rate, a number of axes. `acceleration, -4..4 G, 119 Hz, 3 axes; Microphone`.

    Raises
    ------
    ValueError
        If it cannot be read.

    Examples
    --------
    >>> observations("Accelerometer, -4..4 G, 119 Hz, 3 axes; Microphone")[0]
    {'observes': 'acceleration', 'low': -4.0, 'high': 4.0, 'unit': 'G', 'rate_hz': 119.0, 'axes': 3}
    >>> observations("sound, 16 kHz")
    [{'observes': 'sound', 'rate_hz': 16000.0}]
    """
    return [observation(part) for part in map(str.strip, text.split(";")) if part]


def observation(text: str) -> dict[str, Any]:
    """Return the fields of one sensor."""
    name, *parts = (part.strip() for part in text.split(","))
    observes = property_named(name)
    if observes is None:
        raise ValueError(f"{name[:60]!r} is no property; there are {', '.join(PROPERTIES)}")
    fields: dict[str, Any] = {"observes": observes}
    for part in parts:
        if match := RANGE.fullmatch(part):
            fields |= {"low": float(match[1]), "high": float(match[2])}
            fields |= {"unit": match[3]} if match[3] else {}
        elif match := RATE.fullmatch(part):
            fields["rate_hz"] = float(match[1]) * (1000 if match[2] == "kHz" else 1)
        elif match := AXES.fullmatch(part):
            fields["axes"] = int(match[1])
        else:
            raise ValueError(
                f"{part[:60]!r} is no range (-4..4 G), no rate (119 Hz) and no number of axes (3 axes)"
            )
    return fields


def sensor_needs(value: Any, where: str | None = None) -> list[Any]:
    """Return what must be observed.

    Parameters
    ----------
    value
        As :func:`observations` takes it; what is no text is returned as it is.
    where
        The file that it is said of.

    Raises
    ------
    DocumentError
        If it cannot be read.

    Examples
    --------
    >>> [need] = sensor_needs("Accelerometer, -4..4 G, 119 Hz")
    >>> need.observes, need.low, need.high, need.unit, need.rate_hz
    ('acceleration', -4.0, 4.0, 'G', 119.0)
    """
    if not isinstance(value, str):
        return [value]
    found: list[tuple[str, str]]
    try:
        return [SensorNeed.model_validate(fields) for fields in observations(value)]
    except ValidationError as error:
        found = problems(error, PLACE)
    except ValueError as error:
        found = [(PLACE, str(error))]
    wrong = DocumentError.of("model document", where, found)
    wrong.hint = wrong.hint or "acceleration, -4..4 G, 119 Hz, 3 axes"
    raise wrong
