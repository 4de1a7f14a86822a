"""`shoal query`: questions in SPARQL."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, cast

from cyclopts import Parameter
from cyclopts.validators import Number

from shoal.cli import console
from shoal.cli.catalogs import CatalogOption, Count, opened, table, with_catalog
from shoal.errors import ConfigError, QueryError, StorageError

if TYPE_CHECKING:
    from shoal.catalog import Catalog
    from shoal.catalog.documents import Query
    from shoal.catalog.query import Results

__all__ = ["query"]

Formats: TypeAlias = Literal["table", "json", "csv", "tsv", "turtle"]
TYPES = ("iri", "string", "integer", "number", "model", "device")
NAME = re.compile(r"[\w.-]+")


def query(
    text: str = "",
    /,
    *,
    param: Annotated[list[str] | None, Parameter(negative=())] = None,
    save: str = "",
    title: str = "",
    parameter: Annotated[list[str] | None, Parameter(negative=())] = None,
    seconds: Annotated[float, Parameter(validator=Number(gt=0))] = 10.0,
    rows: Count = 10_000,
    catalog: CatalogOption = None,
    output_format: Annotated[Formats, Parameter(name="--format")] = "table",
) -> int:
    """Ask the catalog in SPARQL 1.1; without a question, list the saved ones and those that come with Shoal.

    A question runs in a process of its own, with limits of time, memory and rows; it cannot change anything
    and reaches no network. `?device shoal:canRun ?model` and `?thing shoal:matches "words"` ask matching and
    search. Exit code 0 where there is an answer, 1 where it is empty or no.

    Parameters
    ----------
    text
        The question, a file of it (.rq), - for standard input, or the name of one that is saved or comes with
        Shoal.
    param
        A value of a parameter, `$name` in the question: a number, a text, or an <IRI>, for instance
        model=keywords; may be given several times.
    save
        Save the question under this name instead of asking it.
    title
        What a saved question answers.
    parameter
        A parameter of a saved question with its type, for instance model=model: iri, string, integer, number,
        model or device; may be given several times.
    seconds
        At most so long.
    rows
        At most so many.
    output_format
        table, json, csv, tsv, or turtle for triples.
    """
    from shoal.catalog.query import Limits

    with opened(catalog) as found:
        if not text:
            return listed(found, output_format)
        if save:
            command = keep(found, save, read(text), title, pairs(parameter, "--parameter"))
            console.next_command(with_catalog(command, catalog))
            return 0
        asked = read(text)
        values: dict[str, object] = dict(pairs(param, "--param"))
        if not NAME.fullmatch(asked):  # a saved question knows the types of its parameters
            values = {name: number(str(value)) for name, value in values.items()}
        answer = found.query(asked, parameters=values, limits=Limits(seconds=seconds, rows=rows))
    write(answer, output_format)
    if answer.truncated:
        console.note(f"more than the first {rows:,}: --rows", "yellow")
    return 0 if answer else 1


def read(text: str) -> str:
    """Return a question as it was typed, from a file or from standard input.

    Raises
    ------
    StorageError
        If the file cannot be read.
    """
    if text == "-":
        return sys.stdin.read()
    if not text.endswith(".rq"):
        return text
    try:
        return Path(text).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise StorageError(f"cannot read: {error}", where=text) from error


def pairs(values: list[str] | None, option: str) -> dict[str, str]:
    """Return name and value of each option.

    Examples
    --------
    >>> pairs(["model=keywords"], "--param")
    {'model': 'keywords'}
    """
    found = {}
    for one in values or ():
        name, equals, value = one.partition("=")
        if not equals or not NAME.fullmatch(name):
            raise ConfigError(f"{one!r} is no name with a value", where=option, hint=f"{option} name=value")
        found[name] = value
    return found


def number(text: str) -> object:
    """Return a number where a text is one.

    Examples
    --------
    >>> number("1000"), number("0.5"), number("keywords")
    (1000, 0.5, 'keywords')
    """
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def keep(catalog: Catalog, name: str, sparql: str, title: str, types: dict[str, str]) -> str:
    """Save a question; returns the command that asks it."""
    from shoal.catalog.documents import Query

    for parameter, kind in types.items():
        if kind not in TYPES:
            raise ConfigError(f"'{kind}' is no type", where=f"--parameter {parameter}", hint=", ".join(TYPES))
    body: dict[str, Any] = {"name": name, "sparql": sparql, "title": title, "parameters": types}
    catalog.add(Query.checked(body, "--save"))
    console.text(f"saved: {name}")
    options = "".join(f" --param {parameter}=..." for parameter in types)
    return f"shoal query {name}{options}"


def listed(catalog: Catalog, output_format: Formats) -> int:
    """List what can be asked by name."""
    from shoal.catalog.query import examples

    saved = {one.id: cast("Query", one) for one in catalog.list("query")}
    known = {**examples(), **saved}
    if output_format == "json":
        console.json_result([{"saved": name in saved} | one.body() for name, one in known.items()])
    else:
        rows = [
            (name, "" if name in saved else "comes with Shoal", ", ".join(one.parameters), one.title)
            for name, one in known.items()
        ]
        table("questions", ("name", "", "parameters", ""), rows, left=(0, 1, 2, 3))
    return 0


def write(answer: Results, output_format: Formats) -> None:
    """Write an answer.

    Raises
    ------
    QueryError
        If it has no place in the format.
    """
    if output_format == "table":
        head, rows = answer.table()
        count = console.counted(len(rows), "row" if answer.triples is None else "triple")
        table(f"{count} in {answer.seconds * 1000:.1f} ms", head, rows, left=range(len(head)))
    elif output_format == "json":
        sys.stdout.write(answer.json() + "\n")
    elif output_format == "turtle":
        sys.stdout.write(answer.turtle())
    elif answer.triples is not None:
        raise QueryError("the query answers with triples", where="--format", hint="turtle, or json")
    else:
        sys.stdout.write(answer.csv() if output_format == "csv" else answer.tsv())
