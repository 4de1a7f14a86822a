"""Licences: which may run where."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shoal.catalog.matching.condition import NOT_KNOWN, Condition

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["Licences", "licence"]

# SPDX identifiers in lower case; None: all.
Licences = tuple[str, ...] | None


def licence(need: str, allowed: Licences) -> Condition:
    """Return whether a model of this licence may run.

    Parameters
    ----------
    need
        SPDX identifier, or identifiers with AND, OR and brackets; empty where it is not known.
    allowed
        In lower case.

    Examples
    --------
    >>> licence("MIT OR GPL-3.0-only", ("mit", "apache-2.0")).fits
    True
    >>> licence("(MIT OR Apache-2.0) AND GPL-3.0-only", ("mit", "apache-2.0")).fits
    False
    >>> print(licence("", ("mit",)))
    licence: needs not known, has mit
    """
    fits = allowed is None or permitted(need.lower(), allowed)
    have = "any" if allowed is None else ", ".join(allowed) or "none"
    return Condition(
        "licence",
        need or NOT_KNOWN,
        have,
        None,
        fits=fits,
        missing=0.0 if fits else 1.0,
        known=fits or bool(need),
    )


def permitted(need: str, allowed: Collection[str]) -> bool:
    """Whether an expression holds; one that cannot be read is taken as a name.

    Source: SPDX specification, annex on license expressions: AND binds more tightly than OR.

    Examples
    --------
    >>> permitted("mit and (zlib or bsd-2-clause)", ["mit", "zlib"]), permitted("mit and", ["mit"])
    (True, False)
    """
    words = re.findall(r"[()]|[^\s()]+", need)

    def either() -> bool:
        found = both()
        while words[:1] == ["or"]:
            words.pop(0)
            found |= both()
        return found

    def both() -> bool:
        found = one()
        while words[:1] == ["and"]:
            words.pop(0)
            found &= one()
        return found

    def one() -> bool:
        name = words.pop(0)
        if name != "(":
            while words and words[0] not in ("and", "or", ")"):  # of an exception, WITH ...
                name += f" {words.pop(0)}"
            return name in allowed
        found = either()
        if words.pop(0) != ")":
            raise ValueError("no closing bracket")
        return found

    try:
        found = either()
    except (IndexError, RecursionError, ValueError):
        return need.strip() in allowed
    return found if not words else need.strip() in allowed
