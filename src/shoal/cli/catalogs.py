"""The catalog that a command works with."""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

from cyclopts import Parameter
from cyclopts.validators import Number

from shoal.cli import console
from shoal.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.text import Text

    from shoal.catalog import Catalog
    from shoal.nn import Network

__all__ = [
    "DEFAULT",
    "CatalogOption",
    "Count",
    "listing",
    "network",
    "opened",
    "place",
    "table",
    "title_of",
    "with_catalog",
    "written",
]

DEFAULT = Path("catalog.shoal")
SUFFIXES = {"torch": "pt2"}

CatalogOption: TypeAlias = Annotated[
    Path | None,
    Parameter(
        name="--catalog",
        env_var="SHOAL_CATALOG",
        help="The catalog's file; SHOAL_CATALOG or catalog.shoal by default.",
    ),
]

# How many are shown, at most.
Count: TypeAlias = Annotated[int, Parameter(validator=Number(gte=0))]

T = TypeVar("T")


def place(catalog: Path | None) -> Path:
    """Return the file of the catalog: as said, else ./catalog.shoal."""
    return DEFAULT if catalog is None else catalog


def with_catalog(command: str, catalog: Path | None) -> str:
    """Return a command that is about the same catalog as this one.

    Examples
    --------
    >>> with_catalog("shoal match wake", Path("site.shoal"))
    'shoal match wake --catalog site.shoal'
    """
    named = os.environ.get("SHOAL_CATALOG")
    if catalog is None or (named and Path(named) == catalog):
        return command
    return f"{command} --catalog {shlex.quote(str(catalog))}"


def network(file: Path) -> Network:
    """Return the network of a model: of a file or, where there is none, of the catalog by its name.

    Raises
    ------
    StorageError, ModelError, StateError
        As :func:`shoal.nn.load`.
    """
    from shoal import nn
    from shoal.errors import UnknownError

    named = os.environ.get("SHOAL_CATALOG")
    catalog = Path(named) if named else DEFAULT
    if file.exists() or not catalog.exists():
        return nn.load(file)
    with opened(catalog) as found:
        try:
            model = found.model(str(file))
        except UnknownError:
            return nn.load(file)  # says that it cannot be read
        content = found.model_file(model.id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{model.name}.{SUFFIXES.get(model.format, model.format)}")
        path.write_bytes(content)
        return nn.load(path)


def opened(catalog: Path | None, *, make: bool = False) -> Catalog:
    """Return the open catalog.

    Parameters
    ----------
    catalog
        Its file; None: ./catalog.shoal.
    make
        Make one where there is none, and say so.

    Raises
    ------
    StorageError
        Where there is none and none is to be made, or the file is no catalog.
    """
    from shoal.catalog import Catalog

    path = place(catalog)
    new = not path.exists()
    if new and not make:
        raise StorageError(
            "there is no catalog",
            where=str(path),
            hint="shoal model add FILE makes one; --catalog FILE or SHOAL_CATALOG names another",
        )
    found = Catalog(path)
    if new:
        console.note(f"a new catalog: {path}")
    return found


def written(catalog: Path | None, write: Callable[[Catalog], T]) -> T:
    """Return what `write` does to the catalog, which is made where there is none.

    Then it is done in memory first: what cannot be written makes no catalog.
    """
    from shoal.catalog import Catalog

    if not place(catalog).exists():
        with Catalog(None) as trial:
            write(trial)
    with opened(catalog, make=True) as found:
        return write(found)


def title_of(catalog: Catalog, kind: str, id: str) -> str:
    """Return the name that people gave to a model or a device; its id where it is gone."""
    record = catalog.store.get(kind, id)
    if record is None:
        return id
    body = record.body
    return f"{body['name']}:{body['version']}" if kind == "model" else str(body["title"])


def table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str | Text]], *, left: Sequence[int] = (0,)
) -> None:
    """Write a table, or its title alone where it is empty."""
    if rows:
        console.table(title, columns, rows, left=left)
    else:
        console.text(title, "bold")


def listing(
    kind: str,
    total: int,
    columns: Sequence[str],
    rows: Sequence[Sequence[str | Text]],
    *,
    left: Sequence[int],
) -> None:
    """Write the first documents of a kind as a table, and how many there are beside them."""
    table(console.counted(total, kind), columns, rows, left=left)
    if total > len(rows):
        console.note(f"{total - len(rows):,} more: --limit {total}")
