"""Cells of a table: what a text in one means."""

from __future__ import annotations

import re
from typing import Any

from shoal.catalog.vocabulary import property_named

__all__ = ["listed", "metrics", "number", "runtimes", "sensors", "whole"]

NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d{1,3})?"
SENSOR = re.compile(
    rf"(?P<name>[A-Za-z][A-Za-z -]*?)"
    rf"(?:\s+(?P<low>{NUMBER})\s*\.\.\s*(?P<high>{NUMBER})(?:\s+(?P<unit>[^\s@]+))?)?"
    rf"(?:\s+@\s*(?P<rate>{NUMBER}))?"
    r"(?:\s+x\s*(?P<axes>\d{1,4}))?"
)


def whole(text: str) -> int:
    """Return a whole number; thousands may be set apart by `_`.

    Examples
    --------
    >>> whole("262_144")
    262144
    """
    if not re.fullmatch(r"\d{1,3}(_?\d{3})*|\d{1,16}", text):
        raise ValueError(f"{text[:40]!r} is no whole number")
    return int(text)


def number(text: str) -> float:
    """Return a number."""
    if not re.fullmatch(NUMBER, text):
        raise ValueError(f"{text[:40]!r} is no number")
    return float(text)


def listed(text: str) -> list[str]:
    """Return the parts between semicolons.

    Examples
    --------
    >>> listed("audio; wake word;")
    ['audio', 'wake word']
    """
    return [part for part in (one.strip() for one in text.split(";")) if part]


def sensors(text: str) -> list[dict[str, Any]]:
    """Return sensors: property or class, then range with unit, `@` rate in Hz, `x` axes, as far as known.

    Examples
    --------
    >>> sensors("acceleration -4..4 G @119 x3; Microphone")[0]
    {'observes': 'acceleration', 'low': -4.0, 'high': 4.0, 'unit': 'G', 'rate_hz': 119.0, 'axes': 3}
    >>> sensors("Microphone")
    [{'observes': 'sound'}]
    """
    return [_sensor(one) for one in listed(text)]


def _sensor(text: str) -> dict[str, Any]:
    match = SENSOR.fullmatch(text) if len(text) < 200 else None
    if match is None:
        raise ValueError(f"{text[:60]!r} is not like 'acceleration -4..4 G @119 x3'")
    observes = property_named(match["name"])
    if observes is None:
        raise ValueError(f"{match['name'][:60]!r} is no property of the vocabulary and no class of sensors")
    found: dict[str, Any] = {"observes": observes}
    if match["low"] is not None:
        found |= {"low": float(match["low"]), "high": float(match["high"])}
    if match["unit"] is not None:
        found["unit"] = match["unit"]
    if match["rate"] is not None:
        found["rate_hz"] = float(match["rate"])
    if match["axes"] is not None:
        found["axes"] = int(match["axes"])
    return found


def runtimes(text: str) -> list[dict[str, Any]]:
    """Return runtimes: name, version, and whether one learns.

    Examples
    --------
    >>> runtimes("shoal training; tflite-micro 2.4")
    [{'name': 'shoal', 'training': True}, {'name': 'tflite-micro', 'version': '2.4'}]
    """
    found = []
    for one in listed(text):
        name, *words = one.split()
        runtime: dict[str, Any] = {"name": name}
        versions = [word for word in words if word != "training"]
        if len(versions) > 1:
            raise ValueError(f"{one[:60]!r} is not like 'shoal 1.0.0 training'")
        if versions:
            runtime["version"] = versions[0]
        if "training" in words:
            runtime["training"] = True
        found.append(runtime)
    return found


def metrics(text: str) -> list[dict[str, Any]]:
    """Return metrics, as in `accuracy 0.921; f1 0.9`.

    Examples
    --------
    >>> metrics("accuracy 0.921")
    [{'name': 'accuracy', 'value': 0.921}]
    """
    found = []
    for one in listed(text):
        name, _, value = one.rpartition(" ")
        if not name:
            raise ValueError(f"{one[:60]!r} is not like 'accuracy 0.921'")
        found.append({"name": name.strip(), "value": number(value)})
    return found
