"""Checks of the facts about a board."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from shoal.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["nearest", "one_of", "positive", "text"]


def nearest(value: str, choices: Iterable[str]) -> str:
    """Return the choices that are most like a wrong name, or all of them.

    Examples
    --------
    >>> nearest("pico3", ["nano33ble", "pico", "pico2"])
    'pico, pico2'
    >>> nearest("x", ["nano33ble", "pico"])
    'one of nano33ble, pico'
    """
    choices = list(choices)
    found = get_close_matches(value, choices, n=3)
    return ", ".join(found) if found else "one of " + ", ".join(choices)


def one_of(value: str, name: str, choices: Iterable[str]) -> None:
    """Check that a value is one of a few."""
    choices = tuple(choices)
    if value not in choices:
        raise ConfigError(f"{name} is {value!r}", where=name, hint=nearest(value, choices))


def positive(value: float, name: str, unit: str) -> None:
    """Check that a number is above 0."""
    if not value > 0:
        raise ConfigError(f"{name} is {value}", where=name, hint=f"{name} in {unit}, above 0")


def text(value: str, name: str) -> None:
    """Check that a text says something."""
    if not value.strip():
        raise ConfigError(f"{name} is empty", where=name, hint=f"{name}: the document, with its section")
