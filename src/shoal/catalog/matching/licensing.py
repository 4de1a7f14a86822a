"""Licences: which may run where."""

from __future__ import annotations

from shoal.catalog.matching.condition import NOT_KNOWN, Condition

__all__ = ["Licences", "licence"]

# SPDX identifiers in lower case; None: all.
Licences = tuple[str, ...] | None


def licence(need: str, allowed: Licences) -> Condition:
    """Return whether a model of this licence may run.

    Parameters
    ----------
    need
        SPDX identifier, or identifiers with AND and OR; empty where it is not known.
    allowed
        In lower case.

    Examples
    --------
    >>> licence("MIT OR GPL-3.0-only", ("mit", "apache-2.0")).fits
    True
    >>> print(licence("", ("mit",)))
    licence: needs not known, has mit
    """
    fits = allowed is None or any(
        all(one.strip() in allowed for one in choice.split(" and ")) for choice in need.lower().split(" or ")
    )
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
