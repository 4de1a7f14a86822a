"""What the commands write: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shoal.errors import ShoalError

__all__ = [
    "Format",
    "FormatOption",
    "counted",
    "error",
    "json_result",
    "next_command",
    "note",
    "size",
    "table",
    "text",
]

ENDLESS = 10_000

Format: TypeAlias = Literal["table", "json"]
FormatOption: TypeAlias = Annotated[Format, Parameter(name="--format", help="table, or json for programs.")]


def out() -> Console:
    """Return stdout; rich leaves colours out where it is no terminal or NO_COLOR is set."""
    # A file or a pipe has no width: nothing is wrapped or cut there.
    endless = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(highlight=False, width=ENDLESS if endless else None)


def err() -> Console:
    """Return stderr."""
    return Console(stderr=True, highlight=False)


def text(line: str, style: str = "") -> None:
    """Write a line of the result, not wrapped."""
    out().print(Text(line, style=style), soft_wrap=True)


def note(line: str, style: str = "dim") -> None:
    """Write a line about the progress."""
    err().print(Text(line, style=style), soft_wrap=True)


def next_command(command: str) -> None:
    """Name the next useful command."""
    console = err()
    console.print(Text.assemble(("next  ", "dim"), (command, "bold")), soft_wrap=True)


def json_result(value: Any) -> None:
    """Write the result as JSON."""
    sys.stdout.write(json.dumps(value, indent=2, allow_nan=False) + "\n")


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, left: Sequence[int] = (0,)
) -> None:
    """Write a table; the columns in `left` hold words, the others numbers."""
    shown = Table(box=None, pad_edge=False)
    for i, column in enumerate(columns):
        words = i in left
        shown.add_column(column, justify="left" if words else "right", no_wrap=not words, header_style="dim")
    for row in rows:
        shown.add_row(*row)
    text(title, "bold")
    out().print(shown)


def error(problem: ShoalError) -> None:
    """Write an error in the house shape."""
    usage(problem.what, problem.where, problem.hint)


def usage(what: str, where: str | None = None, hint: str | None = None) -> None:
    """Write what is wrong, where, and what to try."""
    console = err()
    console.print(Text.assemble(("error: ", "bold red"), what), soft_wrap=True)
    if where is not None:
        console.print(Text.assemble(("  where  ", "dim"), where), soft_wrap=True)
    if hint is not None:
        console.print(Text.assemble(("  try    ", "dim"), hint), soft_wrap=True)


def counted(count: int, thing: str) -> str:
    """Return a number of things.

    Examples
    --------
    >>> counted(1, "model"), counted(2340, "device"), counted(2, "query"), counted(3, "alias")
    ('1 model', '2,340 devices', '2 queries', '3 aliases')
    """
    if count != 1:
        thing = (
            f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}{'es' if thing.endswith('s') else 's'}"
        )
    return f"{count:,} {thing}"


def size(count: float) -> str:
    """Return a number of bytes with a unit.

    Examples
    --------
    >>> size(14980), size(1536)
    ('15.0 kB', '1.5 kB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
