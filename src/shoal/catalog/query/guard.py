"""What a query of a user may not do."""

from __future__ import annotations

import re

from shoal.catalog.query.tokens import Token, place
from shoal.errors import QueryError

__all__ = ["check_allowed"]

UPDATES = {"ADD", "CLEAR", "COPY", "CREATE", "DELETE", "DROP", "INSERT", "LOAD", "MOVE"}
# What may be an IRI, and one that can be nothing else: no operand holds `//`.
ANGLE = re.compile(r"""<[^\x00-\x20<>"{}|^`\\]*>""")
PLAIN = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]*://[^']*>")


def check_allowed(text: str, found: list[Token]) -> None:
    """Refuse what reads from a network or changes the graph.

    Raises
    ------
    QueryError
        If it does.

    Examples
    --------
    >>> from shoal.catalog.query.tokens import tokens
    >>> query = "SELECT * { SERVICE <http://example.org/> { ?s ?p ?o } }"
    >>> check_allowed(query, tokens(query))
    Traceback (most recent call last):
    shoal.errors.QueryError: SERVICE asks another server, which is not allowed
      where  line 1, column 12
      try    import the data
    """
    for token in found:
        word = token.text.upper() if token.kind == "word" else ""
        if word == "SERVICE":
            raise QueryError(
                "SERVICE asks another server, which is not allowed",
                where=place(text, token.start),
                hint="import the data",
            )
        if word in UPDATES:
            raise QueryError(
                f"{word} changes the graph, which is not allowed: it is a view of the documents",
                where=place(text, token.start),
                hint="shoal model add, shoal device add",
            )
    if re.search("SERVICE|LOAD", text, re.IGNORECASE):
        check_plain(text, found)


def check_plain(text: str, found: list[Token]) -> None:
    """Refuse a `<` that an engine could read in another way than we do: what is a string to us may be none.

    In `?a<'>'` the grammar decides by what stands before whether `<` is an operator or begins an IRI.
    """
    for token in found:
        for at in range(token.start, token.end if token.kind == "sign" else token.start + 1):
            angle = ANGLE.match(text, at)
            if angle is not None and re.search("['#]", angle[0]) and not PLAIN.fullmatch(angle[0]):
                raise QueryError(
                    f"'{angle[0][:40]}' can be read as an IRI or as a comparison, which is not allowed",
                    where=place(text, at),
                    hint="a space after <, or a whole IRI",
                )
