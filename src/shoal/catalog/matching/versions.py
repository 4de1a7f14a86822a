"""Versions of runtimes."""

from __future__ import annotations

import re
from itertools import zip_longest

__all__ = ["at_least"]

NUMBERS = re.compile(r"v?(\d{1,9}(?:\.\d{1,9})*)(.*)", re.DOTALL)


def at_least(version: str, wanted: str) -> bool:
    """Whether a version is another one or comes after it; one that cannot be read is neither.

    Examples
    --------
    >>> at_least("1.10", "1.9.3"), at_least("2.0.0-rc1", "2.0.0"), at_least("", "1.0"), at_least("2.0", "2")
    (True, False, False, True)
    """
    if version == wanted:
        return True
    has, asks = NUMBERS.fullmatch(version.strip()), NUMBERS.fullmatch(wanted.strip())
    if has is None or asks is None:
        return False
    for a, b in zip_longest(*(map(int, one[1].split(".")) for one in (has, asks)), fillvalue=0):
        if a != b:
            return a > b
    # Of the same number: a pre-release comes before the release, text after '+' means nothing.
    ends = [one[2].split("+")[0] for one in (has, asks)]
    return not ends[0] or (bool(ends[1]) and ends[0] >= ends[1])
