"""What a query of a user may not do."""

from __future__ import annotations

from shoal.catalog.query.tokens import Token, place
from shoal.errors import QueryError

__all__ = ["check_allowed"]

UPDATES = {"ADD", "CLEAR", "COPY", "CREATE", "DELETE", "DROP", "INSERT", "LOAD", "MOVE"}


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
