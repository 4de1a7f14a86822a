"""What a query answers, and the formats of it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pyoxigraph import RdfFormat, Triple, parse

from shoal.catalog.graph import jsonld, turtle
from shoal.catalog.query import terms
from shoal.catalog.vocabulary import PREFIXES, abbreviate
from shoal.errors import QueryError

__all__ = ["Results"]

NUMBERS = {
    f"{PREFIXES['xsd']}{name}": kind
    for kind, names in ((int, ("integer", "int", "long")), (float, ("double", "float", "decimal")))
    for name in names
}
Term = dict[str, str]


@dataclass(frozen=True, slots=True)
class Results:
    r"""The answer to a query: rows (SELECT), a truth value (ASK) or triples (CONSTRUCT, DESCRIBE).

    Parameters
    ----------
    variables
        Names of the columns.
    bindings
        Rows, each with its terms by variable, as the JSON format of SPARQL writes them.
    boolean
        The truth value.
    triples
        Triples, as N-Triples.
    truncated
        Whether there were more than the limits allow.
    revision
        The event of the catalog that the answer is of.
    seconds
        How long it took.

    Examples
    --------
    >>> number = {"type": "literal", "value": "3", "datatype": "http://www.w3.org/2001/XMLSchema#integer"}
    >>> results = Results(("n",), [{"n": number}])
    >>> results.rows
    [{'n': 3}]
    >>> results.csv()
    'n\r\n3\r\n'
    """

    variables: tuple[str, ...] = ()
    bindings: list[dict[str, Term]] = field(default_factory=list)
    boolean: bool | None = None
    triples: str | None = None
    truncated: bool = False
    revision: int = 0
    seconds: float = 0.0

    def __len__(self) -> int:
        return len(self.bindings)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __bool__(self) -> bool:
        return self.boolean if self.boolean is not None else bool(self.bindings or self.triples)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Rows with values of Python: numbers, truth values, texts (also of IRIs) or None."""
        return [{name: value(row.get(name)) for name in self.variables} for row in self.bindings]

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Return head and rows as people read them, IRIs with prefixes."""
        if self.boolean is not None:
            return ("answer",), [("yes" if self.boolean else "no",)]
        if self.triples is not None:
            rows = [
                tuple(abbreviate(term.value) if hasattr(term, "value") else str(term) for term in triple)
                for triple in parsed(self.triples)
            ]
            return ("subject", "predicate", "object"), rows
        return self.variables, [
            tuple(shown(row.get(name)) for name in self.variables) for row in self.bindings
        ]

    def json(self) -> str:
        """Return the SPARQL 1.1 Query Results JSON Format (application/sparql-results+json), or JSON-LD.

        Raises
        ------
        QueryError
            If there are triples about triples, which JSON-LD has not.
        """
        if self.triples is not None:
            try:
                return jsonld(parsed(self.triples))
            except (OSError, ValueError) as error:
                raise QueryError(f"no JSON-LD: {error}", hint="turtle") from None
        if self.boolean is not None:
            return json.dumps({"head": {}, "boolean": self.boolean})
        whole = {"head": {"vars": list(self.variables)}, "results": {"bindings": self.bindings}}
        return json.dumps(whole, ensure_ascii=False)

    def csv(self) -> str:
        """Return the SPARQL 1.1 CSV format (text/csv)."""
        self._need_rows("CSV")
        file = io.StringIO()
        writer = csv.writer(file)
        writer.writerow(self.variables)
        for row in self.bindings:
            writer.writerow([plain(row.get(name)) for name in self.variables])
        return file.getvalue()

    def tsv(self) -> str:
        """Return the SPARQL 1.1 TSV format (text/tab-separated-values)."""
        self._need_rows("TSV")
        lines = ["\t".join(f"?{name}" for name in self.variables)]
        lines += ["\t".join(written(row.get(name)) for name in self.variables) for row in self.bindings]
        return "\n".join(lines) + "\n"

    def turtle(self) -> str:
        """Return triples as Turtle (text/turtle).

        Raises
        ------
        QueryError
            If the query asked for no triples.
        """
        if self.triples is None:
            raise QueryError("the query answers with no triples", hint="CONSTRUCT { ... } WHERE { ... }")
        try:
            return turtle(parsed(self.triples))
        except (OSError, ValueError) as error:
            raise QueryError(f"no Turtle: {error}", hint="SELECT ...") from None

    def _need_rows(self, name: str) -> None:
        if self.triples is not None or self.boolean is not None:
            raise QueryError(
                "the query answers with no rows", where=name, hint="SELECT ..., or json, or turtle"
            )


def parsed(text: str) -> list[Triple]:
    """Return triples by their text.

    Raises
    ------
    QueryError
        If it is none: a server's answer may be anything.
    """
    try:
        return [quad.triple for quad in parse(text, format=RdfFormat.N_TRIPLES)]
    except (SyntaxError, OSError, ValueError) as error:
        raise QueryError(f"the answer holds no triples: {error}", hint="SELECT ...") from None


def value(term: Term | None) -> Any:
    """Return a term as a value of Python."""
    if term is None:
        return None
    kind = term.get("datatype")
    try:
        if kind in NUMBERS:
            return NUMBERS[kind](term["value"])
    except ValueError:  # a literal whose text is no number
        return term["value"]
    if kind == f"{PREFIXES['xsd']}boolean":
        return term["value"] in {"true", "1"}
    return plain(term)


def plain(term: Term | None) -> str:
    """Return the text of a term."""
    if term is None:
        return ""
    return f"_:{term['value']}" if term["type"] == "bnode" else term["value"]


def shown(term: Term | None) -> str:
    """Return a term as people read it."""
    if term is not None and term["type"] == "uri":
        return abbreviate(term["value"])
    return plain(term)


def written(term: Term | None) -> str:
    """Return a term as Turtle writes it."""
    if term is None:
        return ""
    if term["type"] == "uri":
        return f"<{term['value']}>"
    if term["type"] == "bnode":
        return f"_:{term['value']}"
    if "xml:lang" in term:
        return f"{terms.string(term['value'])}@{term['xml:lang']}"
    kind = term.get("datatype")
    return terms.string(term["value"]) + (f"^^<{kind}>" if kind else "")
