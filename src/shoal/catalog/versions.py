"""Semantic versions: their order, and the next one."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["newest", "next_patch", "order"]

Identifier = tuple[int, int, str]


def order(version: str) -> tuple[int, int, int, bool, tuple[Identifier, ...]]:
    """Return what sorts versions by their precedence; build metadata says nothing.

    Examples
    --------
    >>> sorted(["1.10.0", "1.9.2", "1.10.0-rc.2", "1.10.0-rc.10"], key=order)
    ['1.9.2', '1.10.0-rc.2', '1.10.0-rc.10', '1.10.0']

    References
    ----------
    .. [1] Semantic Versioning 2.0.0, section 11.
    """
    core, _, early = version.partition("+")[0].partition("-")
    major, minor, patch = (int(number) for number in core.split("."))
    identifiers = tuple(
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in early.split(".") if early
    )
    return major, minor, patch, not early, identifiers


def newest(versions: Iterable[str]) -> str:
    """Return the newest of some versions."""
    return max(versions, key=order)


def next_patch(versions: Iterable[str]) -> str:
    """Return the version after the newest: its next patch, 1.0.0 where there is none.

    Examples
    --------
    >>> next_patch([]), next_patch(["1.0.9", "0.9.0"]), next_patch(["2.0.0-rc.1"])
    ('1.0.0', '1.0.10', '2.0.0')
    """
    there = list(versions)
    if not there:
        return "1.0.0"
    major, minor, patch, final, _ = order(newest(there))
    return f"{major}.{minor}.{patch + final}"
