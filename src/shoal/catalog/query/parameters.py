"""Queries with parameters: `$name` in the text, of a type that is checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from shoal.catalog.documents import Query
from shoal.catalog.query import terms
from shoal.catalog.query.tokens import edited, tokens
from shoal.errors import QueryError

__all__ = ["Resolve", "bound", "filled"]

# From "model" or "device" and what a user calls it to the IRI.
Resolve = Callable[[str, str], str]


def filled(sparql: str, values: Mapping[str, object]) -> str:
    """Return a query with values in the place of its parameters, wherever they stand as `$name`.

    A text between angle brackets is an IRI, any other text is a text. A variable that is written `$name` and
    has no value stays a variable.

    Raises
    ------
    QueryError
        If a value cannot be one, or the query has no parameter of its name.

    Examples
    --------
    >>> filled("SELECT ?m { ?m shoal:task $task } # $task", {"task": "classification"})
    'SELECT ?m { ?m shoal:task "classification" } # $task'
    """
    written = {
        name: terms.iri(value[1:-1])
        if isinstance(value, str) and re.fullmatch("<.*>", value)
        else terms.literal(value)
        for name, value in values.items()
    }
    return put(sparql, written)


def bound(query: Query, values: Mapping[str, object], resolve: Resolve) -> str:
    """Return a saved query with values in the place of its parameters.

    Parameters
    ----------
    values
        By name. Numbers may be given as text.
    resolve
        Finds the model or the device that a name means.

    Raises
    ------
    QueryError
        If a value is missing, too many, or not of its type.

    Examples
    --------
    >>> query = Query(name="small", sparql="SELECT ?m { FILTER(?ram < $ram) }", parameters={"ram": "integer"})
    >>> bound(query, {"ram": "1000"}, lambda kind, name: name)
    'SELECT ?m { FILTER(?ram < 1000) }'
    """
    missing = query.parameters.keys() - values.keys()
    unknown = values.keys() - query.parameters.keys()
    if missing or unknown:
        name = min(missing or unknown)
        raise QueryError(
            f"parameter '{name}' is {'missing' if missing else 'not known'}",
            where=f"query '{query.name}'",
            hint=", ".join(f"{one}=({kind})" for one, kind in query.parameters.items()) or "no parameters",
        )
    written = {}
    for name, kind in query.parameters.items():
        try:
            written[name] = typed(kind, values[name], resolve)
        except ValueError as error:
            if isinstance(error, QueryError):
                raise
            raise QueryError(
                f"parameter '{name}' is {values[name]!r:.100}, no {kind}", where=f"query '{query.name}'"
            ) from None
    return put(query.sparql, written)


def typed(kind: str, value: object, resolve: Resolve) -> str:
    """Return a value of a type as SPARQL writes it."""
    if kind == "iri":
        return terms.iri(str(value))
    if kind == "string":
        return terms.string(str(value))
    if kind == "integer":
        return terms.literal(int(str(value)))
    if kind == "number":
        return terms.literal(float(str(value)))
    return terms.iri(resolve(kind, str(value)))


def put(sparql: str, written: Mapping[str, str]) -> str:
    """Return a query with written values in the place of its parameters."""
    edits = [
        (token.start, token.end, f"{written[token.text[1:]]}")
        for token in tokens(sparql)
        if token.kind == "variable" and token.text[0] == "$" and token.text[1:] in written
    ]
    absent = written.keys() - {sparql[start + 1 : end] for start, end, _ in edits}
    if absent:
        raise QueryError(f"the query has no parameter '{min(absent)}'", hint=f"${min(absent)} in its text")
    return edited(sparql, edits)
