"""Cells of a table: what a text in one means."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["listed", "metrics", "number", "runtimes", "whole"]

NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d{1,3})?"


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
