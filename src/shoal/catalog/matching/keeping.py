"""An index as bytes, and back.

It is a cache: what cannot be read, or was written by another version, is made anew from the documents.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.catalog.matching.index import Index
from shoal.catalog.matching.needs import SensorsNeed
from shoal.catalog.matching.operators import Operation
from shoal.catalog.matching.running import Engine, RuntimeNeed
from shoal.catalog.matching.sensing import Observation
from shoal.catalog.matching.shelf import Stock
from shoal.catalog.matching.traits import Key

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from shoal.catalog.matching.columns import Columns

    Reader = Callable[[Any], Any]

__all__ = ["restored", "written"]

# To be raised when rows would come out differently.
FORMAT = 1


def written(index: Index) -> bytes:
    """Return an index as bytes."""
    traits, stock = index.traits, index.shelf.stock
    devices, rows = index.fleet.columns.packed()
    models, shelved = index.shelf.columns.packed()
    said = {
        "format": FORMAT,
        "columns": [index.fleet.columns.names, index.shelf.columns.names],
        "boards": index.boards,
        "haves": [table.haves for table in traits.tables],
        "needs": [table.needs for table in traits.tables],
        "groups": traits.groups.keys,
        "classes": traits.classes.keys,
        "stock": [[stock[one].size, stock[one].task, dict(stock[one].metrics)] for one in models],
    }
    stream = io.BytesIO()
    np.savez(
        stream,
        said=text(json.dumps(said)),
        devices=text("\n".join(devices)),
        models=text("\n".join(models)),
        rows=rows,
        shelved=shelved,
    )
    return stream.getvalue()


def restored(content: bytes) -> Index | None:
    """Return the index in bytes, None where it was written by another version or is damaged.

    Examples
    --------
    >>> from shoal.catalog.documents import Hardware
    >>> index = Index()
    >>> index.put_device("urn:dev:7", Hardware(clock_hz=64_000_000))
    >>> restored(written(index)).fleet.facts(0).clock
    64000000
    >>> restored(b"") is None
    True
    """
    index = Index()
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as kept:
            said = json.loads(str(kept["said"].tobytes(), "utf-8"))
            columns = [list(index.fleet.columns.names), list(index.shelf.columns.names)]
            if said["format"] != FORMAT or said["columns"] != columns:
                return None
            fill(index, said)
            load(index.fleet.columns, kept["devices"], kept["rows"])
            load(index.shelf.columns, kept["models"], kept["shelved"])
        ids = index.shelf.columns.slots
        index.shelf.stock = {one: Stock(*row) for one, row in zip(ids, said["stock"], strict=True)}
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile):
        return None
    index.fleet.put_many(())
    return index


def fill(index: Index, said: dict[str, Any]) -> None:
    """Number groups and classes, and what they are made of, as they were."""
    traits = index.traits
    readers: tuple[tuple[Reader, Reader], ...] = (
        (
            lambda have: tuples(have, Observation),
            lambda need: SensorsNeed(tuples(need[0], Observation) or (), need[1]),
        ),
        (engines, runtime_need),
        (lambda have: have if have is None else tuple(have), lambda need: need),
    )
    for table, haves, needs, (read_have, read_need) in zip(
        traits.tables, said["haves"], said["needs"], readers, strict=True
    ):
        for have in haves:
            table.have(read_have(have))
        for need in needs:
            table.need(read_need(need))
    for keys, rows in ((traits.groups, said["groups"]), (traits.classes, said["classes"])):
        for row in rows:
            keys.number(Key(*row))
    index.boards = list(said["boards"])


def runtime_need(need: list[Any]) -> RuntimeNeed:
    """Return what a model needs of a runtime."""
    name, version, training, operators = need
    return RuntimeNeed(name, version, training, tuples(operators, Operation))


def load(columns: Columns, ids: NDArray[np.uint8], values: NDArray[np.int64]) -> None:
    """Fill a table of integers."""
    names = str(ids.tobytes(), "utf-8").split("\n") if len(ids) else []
    if values.shape != (len(columns.names), len(names)):
        raise ValueError("rows and ids do not belong together")
    columns.load(names, values)


def engines(have: list[Any] | None) -> tuple[Engine, ...] | None:
    """Return the runtimes of a device."""
    if have is None:
        return None
    return tuple(Engine(name, version, tuples(run, Operation), learns) for name, version, run, learns in have)


def tuples(rows: list[Any] | None, kind: Any) -> tuple[Any, ...] | None:
    """Return rows of JSON as named tuples."""
    return None if rows is None else tuple(kind(*row) for row in rows)


def text(content: str) -> NDArray[np.uint8]:
    """Return a text as an array of bytes."""
    return np.frombuffer(content.encode(), np.uint8)
