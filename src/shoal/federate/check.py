"""Checks of parameters at the door, in one place each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from difflib import get_close_matches
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["counts", "instance", "names", "nearest", "one_of", "seed", "share", "whole"]


def whole(value: object, name: str, minimum: int = 1) -> int:
    """Check a number of things: an integer of at least `minimum`.

    Examples
    --------
    >>> whole(3, "rounds")
    3
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < minimum:
        raise ConfigError(
            f"{name} is {value!r}", where=name, hint=f"{name}: an integer of at least {minimum}"
        )
    return int(value)


def seed(value: object, name: str = "seed") -> int:
    """Check a seed: an integer from 0 to 2**64 - 1."""
    if whole(value, name, 0) >= 1 << 64:
        raise ConfigError(f"{name} is {value!r}", where=name, hint=f"{name}: an integer below 2**64")
    return int(value)  # type: ignore[call-overload, no-any-return]  # whole() has seen that it is one


def counts(values: object, name: str) -> tuple[int, ...]:
    """Check rising numbers of things, from 0 on, at least one."""
    if isinstance(values, str) or not isinstance(values, Sequence) or not values:
        raise ConfigError(
            f"{name} is {values!r}", where=name, hint=f"{name}: rising integers, such as (0, 1, 8)"
        )
    found = tuple(whole(value, name, 0) for value in values)
    if any(b <= a for a, b in pairwise(found)):
        raise ConfigError(f"{name} is {values!r}", where=name, hint=f"{name}: each more than the one before")
    return found


def share(value: object, name: str, *, above: float = -math.inf) -> float:
    """Check a share: a number from 0 to 1, and above `above`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1 or value <= above:
        low = "above 0" if above == 0 else "from 0"
        raise ConfigError(f"{name} is {value!r}", where=name, hint=f"{name}: a number {low} to 1")
    return float(value)


def one_of(value: object, name: str, choices: Iterable[str]) -> None:
    """Check that a value is one of a few."""
    choices = tuple(choices)
    if value not in choices:
        raise ConfigError(f"{name} is {value!r}", where=name, hint=nearest(value, choices))


def instance(value: object, name: str, kinds: tuple[type, ...]) -> None:
    """Check that a value is of one of these classes."""
    if not isinstance(value, kinds):
        names = ", ".join(kind.__name__ for kind in kinds)
        raise ConfigError(f"{name} is {value!r}", where=name, hint=f"{name}: one of {names}")


def names(value: object, name: str) -> None:
    """Check one name or a tuple of names."""
    ok = isinstance(value, str) or (isinstance(value, tuple) and all(isinstance(item, str) for item in value))
    if not ok:
        raise ConfigError(
            f"{name} is {value!r}", where=name, hint=f'{name}: "last", or names such as ("dense_3",)'
        )


def nearest(value: object, choices: Iterable[str]) -> str:
    """Return the choice that is most like a wrong name, or all of them.

    Examples
    --------
    >>> nearest("local_step", ["clients", "local_steps"])
    'local_steps'
    >>> nearest("x", ["clients", "local_steps"])
    'one of clients, local_steps'
    """
    choices = list(choices)
    found = get_close_matches(str(value), choices, n=1)
    return found[0] if found else "one of " + ", ".join(choices)
