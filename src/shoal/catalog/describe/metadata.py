"""Metadata in a TensorFlow Lite file: a FlatBuffer of its own, and files appended as a zip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from flatbuffers import encode, packer
from flatbuffers.number_types import Float32Flags, Int8Flags, Uint8Flags
from flatbuffers.table import Table

from shoal.catalog.describe.associated import labels
from shoal.errors import ModelError

__all__ = ["facts"]

NAME = b"TFLITE_METADATA"
IDENTIFIER = b"M001"
MOST = 256
LONGEST = 10_000
NORMALIZATION = 1  # among the options of a process unit
AXIS_LABELS = 2  # among the types of associated files
# Fields of the tables, in the order of the schema.
MODEL = {"name": 0, "description": 1, "version": 2, "subgraphs": 3, "author": 4, "license": 5}
GRAPH = {"inputs": 2, "outputs": 3}
TENSOR = {"name": 0, "description": 1, "units": 4, "files": 6}
UNIT = {"kind": 0, "options": 1}
FILE = {"name": 0, "type": 2}
LICENCES = {"apache license. version 2.0": "Apache-2.0", "apache license, version 2.0": "Apache-2.0"}

T = TypeVar("T")


def facts(content: bytes) -> dict[str, Any]:
    """Return what the metadata of a file say, as fields of the document; nothing where there are none.

    Source: metadata_schema.fbs of TensorFlow Lite Support, version 1.5.

    Raises
    ------
    ModelError
        If they are damaged, or name a file that is not safe.
    """
    found = buffer(content)
    if found is None:
        return {}
    if found[4:8] != IDENTIFIER:
        raise ModelError("the metadata are damaged", hint="the file as the converter wrote it")
    root = Table(found, encode.Get(packer.uoffset, found, 0))
    known: dict[str, Any] = {
        "title": text(root, MODEL["name"]),
        "description": text(root, MODEL["description"]),
        "creator": text(root, MODEL["author"]),
        "licence": licence(text(root, MODEL["license"])),
    }
    known = {name: value for name, value in known.items() if value}
    for graph in list(tables(root, MODEL["subgraphs"]))[:1]:
        inputs = list(tables(graph, GRAPH["inputs"]))
        known["inputs"] = [described(tensor) for tensor in inputs]
        known["outputs"] = [
            described(tensor) | {"labels": labels_of(content, tensor)}
            for tensor in tables(graph, GRAPH["outputs"])
        ]
        normal = next((one for tensor in inputs for one in normalization(tensor)), None)
        if normal is not None:
            known["input"] = normal
    return known


def buffer(content: bytes) -> bytes | None:
    """Return the metadata's bytes."""
    import tflite

    model = tflite.Model.GetRootAs(content, 0)
    for i in range(min(model.MetadataLength(), MOST)):
        entry = model.Metadata(i)
        if entry.Name() == NAME:
            if not 0 <= entry.Buffer() < model.BuffersLength():
                raise ModelError(f"there is no buffer {entry.Buffer()}")
            data = model.Buffers(entry.Buffer()).DataAsNumpy()
            return bytes(data.tobytes()) if hasattr(data, "tobytes") else b""
    return None


def described(tensor: Table) -> dict[str, Any]:
    """Return what is said of a tensor; its name stays the one that the graph has."""
    return {"description": text(tensor, TENSOR["description"]) or text(tensor, TENSOR["name"])}


def labels_of(content: bytes, tensor: Table) -> list[str]:
    """Return the labels of an output's axis."""
    for file in tables(tensor, TENSOR["files"]):
        if value(file, FILE["type"], Int8Flags) == AXIS_LABELS:
            return labels(content, text(file, FILE["name"]))
    return []


def normalization(tensor: Table) -> Iterator[dict[str, list[float]]]:
    """Yield mean and standard deviation of an input."""
    for unit in tables(tensor, TENSOR["units"]):
        place = unit.Offset(slot(UNIT["options"]))
        if place and value(unit, UNIT["kind"], Uint8Flags) == NORMALIZATION:
            options = Table(unit.Bytes, unit.Indirect(unit.Pos + place))
            yield {"mean": floats(options, 0), "std": floats(options, 1)}


def licence(text: str) -> str:
    """Return an SPDX identifier, "" for what is none: a catalog asks then."""
    known = LICENCES.get(text.strip().rstrip(".").lower())
    return known or (text.strip() if text and len(text) < 64 and " " not in text.strip() else "")


def slot(field: int) -> int:
    """Return the place of a field in the table of offsets."""
    return 4 + 2 * field


def value(table: Table, field: int, kind: Any) -> int:
    """Return a number, 0 where it is left out."""
    place = table.Offset(slot(field))
    return int(table.Get(kind, table.Pos + place)) if place else 0


def text(table: Table, field: int) -> str:
    """Return a text, "" where it is left out."""
    place = table.Offset(slot(field))
    if not place:
        return ""
    return str(table.String(table.Pos + place)[:LONGEST].decode("utf-8", "replace"))


def floats(table: Table, field: int) -> list[float]:
    """Return a list of numbers."""
    return vector(table, field, 4, lambda place: float(str(table.Get(Float32Flags, place))))


def tables(table: Table, field: int) -> Iterator[Table]:
    """Yield the tables in a list."""
    yield from vector(table, field, 4, lambda place: Table(table.Bytes, table.Indirect(place)))


def vector(table: Table, field: int, size: int, item: Callable[[int], T]) -> list[T]:
    """Return a list by the places of its items."""
    place = table.Offset(slot(field))
    if not place:
        return []
    count = table.VectorLen(place)
    if count > MOST:
        raise ModelError(f"a list of {count:,} in the metadata, at most {MOST} are possible")
    start = table.Vector(place)
    return [item(start + size * i) for i in range(count)]
