"""Values in a query: how they are written, so that they are nothing but values."""

from __future__ import annotations

import math
import re

from shoal.errors import QueryError

__all__ = ["iri", "literal", "string"]

BAD = re.compile(r"[\x00-\x20<>\"{}|^`\\]")


def iri(value: str) -> str:
    """Return an IRI as SPARQL writes it.

    Raises
    ------
    QueryError
        If it is none.

    Examples
    --------
    >>> iri("urn:dev:7")
    '<urn:dev:7>'
    """
    if BAD.search(value) or not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", value):
        raise QueryError(f"{value[:100]!r} is no absolute IRI", hint="such as urn:dev:ops:32473-hall-7")
    return f"<{value}>"


def string(value: str) -> str:
    r"""Return a text as SPARQL writes it.

    Examples
    --------
    >>> print(string('yes "no"'))
    "yes \"no\""
    """
    if "\x00" in value or any("\ud800" <= one <= "\udfff" for one in value):
        raise QueryError("the text holds a character that no text may hold")
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(one, one) for one in value) + '"'


def literal(value: object) -> str:
    """Return a text, a number or a truth value as SPARQL writes it.

    Raises
    ------
    QueryError
        If it is something else.

    Examples
    --------
    >>> literal(3), literal(0.5), literal(True), literal("a")
    ('3', '5e-01', 'true', '"a"')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.17g}" + ("" if "e" in f"{value:.17g}" else "e0")
    if isinstance(value, str):
        return string(value)
    raise QueryError(f"{value!r:.100} cannot be a value in a query", hint="a text, a number or true or false")
