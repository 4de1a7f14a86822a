"""What a model needs observed, in one line."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

from shoal.catalog.documents import SensorNeed
from shoal.catalog.documents.document import problems
from shoal.catalog.vocabulary.terms import PROPERTIES, property_named
from shoal.errors import DocumentError

__all__ = ["sensor_need"]

PLACE = "input.sensors"
NUMBER = r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
RANGE = re.compile(rf"({NUMBER})\s*\.\.\s*({NUMBER})\s*(\S*)")
RATE = re.compile(rf"({NUMBER})\s*(Hz|kHz)")
AXES = re.compile(r"(\d+)\s*(?:axes|axis|channels?)")


def sensor_need(value: Any, where: str | None = None) -> Any:
    """Return what must be observed.

    Parameters
    ----------
    value
        A property or a class of sensors, then, in any order and after commas, a range with its unit, a rate,
        a number of axes: `acceleration, -4..4 G, 119 Hz, 3 axes`. What is no text is returned as it is.
    where
        The file that it is said of.

    Raises
    ------
    DocumentError
        If it cannot be read.

    Examples
    --------
    >>> need = sensor_need("Accelerometer, -4..4 G, 119 Hz, 3 axes")
    >>> need.observes, need.low, need.high, need.unit, need.rate_hz, need.axes
    ('acceleration', -4.0, 4.0, 'G', 119.0, 3)
    """
    if not isinstance(value, str):
        return value
    name, *parts = (part.strip() for part in value.split(","))
    observes = property_named(name)
    if observes is None:
        raise _wrong([(PLACE, f"{name!r} is no property; there are {', '.join(PROPERTIES)}")], where)
    fields: dict[str, Any] = {"observes": observes}
    for part in parts:
        if match := RANGE.fullmatch(part):
            fields |= {"low": float(match[1]), "high": float(match[2]), "unit": match[3] or None}
        elif match := RATE.fullmatch(part):
            fields["rate_hz"] = float(match[1]) * (1000 if match[2] == "kHz" else 1)
        elif match := AXES.fullmatch(part):
            fields["axes"] = int(match[1])
        else:
            problem = f"{part!r} is no range (-4..4 G), no rate (119 Hz) and no number of axes (3 axes)"
            raise _wrong([(PLACE, problem)], where)
    try:
        return SensorNeed.model_validate(fields)
    except ValidationError as error:
        raise _wrong(problems(error, PLACE), where) from None


def _wrong(found: list[tuple[str, str]], where: str | None) -> DocumentError:
    """Return the error of a need."""
    error = DocumentError.of("model document", where, found)
    error.hint = error.hint or "acceleration, -4..4 G, 119 Hz, 3 axes"
    return error
