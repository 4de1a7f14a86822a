"""From what a user asks to what an engine is asked."""

from __future__ import annotations

from itertools import pairwise

from shoal.catalog.query.guard import check_allowed
from shoal.catalog.query.magic import Answers, rewritten
from shoal.catalog.query.tokens import tokens
from shoal.catalog.vocabulary import PREFIXES

__all__ = ["declared", "names_graphs", "prepared"]


def prepared(sparql: str, answers: Answers | None) -> str:
    """Return a query that was checked, with the answers of the index and the search in it.

    Raises
    ------
    QueryError
        If it cannot be read or is not allowed.
    """
    check_allowed(sparql, tokens(sparql))
    return rewritten(sparql, answers)


def names_graphs(sparql: str) -> bool:
    """Whether a query says by FROM which graphs it asks.

    Examples
    --------
    >>> names_graphs("ASK FROM <urn:shoal:document:board:mine> {}"), names_graphs("ASK { ?s ?p 'FROM' }")
    (True, False)
    """
    return any(token.kind == "word" and token.text.upper() == "FROM" for token in tokens(sparql))


def declared(sparql: str) -> str:
    """Return a query with the prefixes that it uses and does not declare, on its first line.

    Examples
    --------
    >>> declared("ASK { ?d a shoal:Device }")
    'PREFIX shoal: <https://w3id.org/shoal/vocabulary#> ASK { ?d a shoal:Device }'
    """
    found = tokens(sparql)
    used = {token.text.partition(":")[0] for token in found if token.kind == "name"}
    said = {
        name.text[:-1]
        for word, name in pairwise(found)
        if word.text.upper() == "PREFIX" and name.kind == "name"
    }
    missing = [prefix for prefix in PREFIXES if prefix in used - said]
    return "".join(f"PREFIX {prefix}: <{PREFIXES[prefix]}> " for prefix in missing) + sparql
