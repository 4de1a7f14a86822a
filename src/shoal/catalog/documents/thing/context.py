"""The JSON-LD context of a Thing Description: what its terms mean, without the network."""

from __future__ import annotations

from typing import Any

__all__ = ["BUNDLED", "DISCOVERY", "TD_1_0", "TD_1_1", "check"]

TD_1_0 = "https://www.w3.org/2019/wot/td/v1"
TD_1_1 = "https://www.w3.org/2022/wot/td/v1.1"
DISCOVERY = "https://www.w3.org/2022/wot/discovery"
# Those whose meaning comes with Shoal; others would have to be fetched, and what they say could change.
BUNDLED = frozenset({TD_1_0, TD_1_1, DISCOVERY})
KEYWORDS = {"@base", "@vocab", "@language", "@version", "@direction", "@protected", "@propagate"}


def check(context: Any) -> Any:
    """Refuse a context that is not that of a Thing Description or needs the network.

    Raises
    ------
    ValueError
        If it is.

    Examples
    --------
    >>> check([TD_1_1, {"saref": "https://w3id.org/saref#"}])[1]
    {'saref': 'https://w3id.org/saref#'}
    >>> check([TD_1_1, "https://evil.example/context"])
    Traceback (most recent call last):
    ValueError: 'https://evil.example/context' would have to be fetched: write the terms that it defines...
    """
    entries = context if isinstance(context, list) else [context]
    if not entries or entries[0] not in (TD_1_0, TD_1_1):
        raise ValueError(f"begins with {TD_1_1!r} (or {TD_1_0!r}, version 1.0)")
    for entry in entries:
        inline(entry) if isinstance(entry, dict) else bundled(entry)
    return context


def bundled(entry: Any) -> None:
    """Refuse a context that does not come with Shoal; pydantic wants a ValueError."""
    if not isinstance(entry, str):
        raise ValueError(f"{entry!r:.100} is neither an IRI nor an object")  # noqa: TRY004
    if entry not in BUNDLED:
        raise ValueError(f"{entry[:200]!r} would have to be fetched: write the terms that it defines instead")


def inline(context: dict[str, Any]) -> None:
    """Refuse what a context written in place must not hold."""
    for term, meaning in context.items():
        if term == "@import":
            raise ValueError(f"@import of {meaning!r:.200} would have to be fetched: write its terms instead")
        if term.startswith("@") and term not in KEYWORDS:
            raise ValueError(f"{term!r:.100} is no keyword of a context")
        if isinstance(meaning, dict) and "@context" in meaning:
            scoped = meaning["@context"]
            for one in scoped if isinstance(scoped, list) else [scoped]:
                if isinstance(one, dict):
                    inline(one)
                elif one is not None:
                    bundled(one)
        elif not (meaning is None or isinstance(meaning, str | dict | bool | float | int)):
            raise ValueError(f"{term[:100]!r} is {meaning!r:.100}")
