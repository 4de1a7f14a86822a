"""What the engine finds, as far as the limits go."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pyoxigraph import BlankNode, NamedNode, QueryBoolean, QuerySolutions, Triple

from shoal.catalog.vocabulary import PREFIXES

__all__ = ["collected"]

STRING = f"{PREFIXES['xsd']}string"
T = TypeVar("T")


def collected(
    results: QueryBoolean | QuerySolutions | Iterable[Triple], rows: int, size: int
) -> dict[str, Any]:
    """Return an answer as :class:`Results` takes it.

    Parameters
    ----------
    results
        Read as far as needed.
    rows
        At most so many, or so many triples.
    size
        At most so many bytes of names and texts.
    """
    if isinstance(results, QueryBoolean):
        return {"boolean": bool(results)}
    if isinstance(results, QuerySolutions):
        names = [variable.value for variable in results.variables]
        found, more = within(
            (
                {name: term(one) for name, one in zip(names, solution, strict=True) if one is not None}
                for solution in results
            ),
            lambda row: sum(len(name) + sum(map(octets, said.values())) for name, said in row.items()),
            rows,
            size,
        )
        return {"variables": names, "bindings": found, "truncated": more}
    lines, more = within((f"{triple} ." for triple in results), octets, rows, size)
    return {"triples": "\n".join(dict.fromkeys(lines)), "truncated": more}


def within(found: Iterable[T], length: Callable[[T], int], rows: int, size: int) -> tuple[list[T], bool]:
    """Return what is within the limits of number and bytes, and whether there is more."""
    kept: list[T] = []
    for one in found:
        size -= length(one)
        if len(kept) == rows or size < 0:
            return kept, True
        kept.append(one)
    return kept, False


def octets(text: str) -> int:
    """Return how many bytes a text takes."""
    return len(text.encode(errors="surrogatepass"))


def term(found: Any) -> dict[str, str]:
    """Return a term as the JSON format of SPARQL writes it."""
    if isinstance(found, NamedNode):
        return {"type": "uri", "value": found.value}
    if isinstance(found, BlankNode):
        return {"type": "bnode", "value": found.value}
    if not hasattr(found, "datatype"):
        return {"type": "literal", "value": str(found)}
    said = {"type": "literal", "value": found.value}
    if found.language:
        return said | {"xml:lang": found.language}
    return said if found.datatype.value == STRING else said | {"datatype": found.datatype.value}
