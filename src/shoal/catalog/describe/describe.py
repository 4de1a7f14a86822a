"""A model file becomes a Model document."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shoal.catalog.describe import archives, onnx, sidecar, tflite
from shoal.catalog.describe.needs import network_facts
from shoal.catalog.describe.sensors import sensor_needs
from shoal.catalog.documents import Model
from shoal.errors import DocumentError, ModelError
from shoal.nn.importers.build import read as read_file

__all__ = ["ASKED", "Description", "describe", "read"]

# What no file says and every catalog needs.
ASKED = ("name", "version", "task", "licence", "sensors")
# What a file is, whatever anybody says.
FIXED = ("sha256", "format", "size")
FORMATS = {".tflite": "tflite", ".onnx": "onnx", ".keras": "keras", ".pt2": "torch", ".shoal": "shoal"}
SHOAL = b'"shoal":'
HEADER = 1 << 16


@dataclass(frozen=True, slots=True)
class Description:
    """What is known of a model file.

    Attributes
    ----------
    fields
        Of a :class:`shoal.catalog.documents.Model`, as JSON has them.
    missing
        Those of :data:`ASKED` that nobody said.
    notes
        What could not be found out, and why.
    """

    fields: dict[str, Any]
    missing: tuple[str, ...]
    notes: tuple[str, ...]


def describe(
    path: str | os.PathLike[str], *, beside: str | os.PathLike[str] | None = None, **fields: Any
) -> Model:
    """Return the document of a model file.

    The file goes first: operators, tensors, work and memory are read from it. A sidecar adds to that, and
    `fields` have the last word.

    Parameters
    ----------
    path
        Of a TensorFlow Lite, ONNX, Keras, PyTorch or Shoal file; of any other, only the size is read.
    beside
        A TOML file with fields of the document; by default the file beside the model with the suffix .toml,
        where there is one.
    fields
        Of the document; `sensors` may be texts as :func:`sensor_needs` reads them. None: not said.

    Raises
    ------
    StorageError
        If a file cannot be read.
    ModelError
        If the model is damaged, or a file that it carries is not safe.
    StateError
        If it is a damaged file of Shoal.
    DocumentError
        If a field of the sidecar or of `fields` is wrong.
    """
    return document(read(path, beside=beside, **fields), os.fspath(path))


def document(description: Description, where: str) -> Model:
    """Return the document of a description; what is missing has a plain default."""
    defaults = {"name": plain_name(Path(where).stem), "version": "1.0.0"}
    return Model.checked(defaults | description.fields, where)


def read(
    path: str | os.PathLike[str], *, beside: str | os.PathLike[str] | None = None, **fields: Any
) -> Description:
    """Return what is known of a model file, and what is not; as :func:`describe`."""
    where = os.fspath(path)
    content = read_file(path)
    kind = format_of(content, Path(path).suffix.lower())
    said = sidecar.read(Path(path), beside)
    given = {name: value for name, value in fields.items() if value is not None}
    asked = said | given
    for name in FIXED:
        if name in asked:
            raise DocumentError.of("model document", where, [(name, "the file itself says this")])
    known: dict[str, Any] = {}
    if kind == "tflite":
        known = tflite.facts(content, where)
    elif kind == "onnx":
        known = onnx.facts(content, where)
    own = archives.facts(content, kind, where) if kind in {"keras", "torch"} else {}
    train_last = asked.get("train_last")
    computed, notes = network_facts(path, kind, train_last if isinstance(train_last, int) else None)
    known = own | computed | known | {"training": computed.get("training")}
    for name in ("inference", "training", "train_last"):
        if known.get(name) is None:
            known.pop(name, None)
    known |= {"sha256": hashlib.sha256(content).hexdigest(), "format": kind, "size": len(content)}
    merged = merge(known, asked, where)
    said_too = merged | {"sensors": merged.get("input", {}).get("sensors")}
    missing = tuple(name for name in ASKED if not said_too.get(name))
    return Description(merged, missing, tuple(notes))


def merge(known: dict[str, Any], asked: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the fields of a file with those that somebody gave."""
    asked = dict(asked)
    given = asked.pop("input", {})
    given = given.model_dump(exclude_defaults=True) if hasattr(given, "model_dump") else given
    if not isinstance(given, dict):
        raise DocumentError.of("model document", where, [("input", f"{given!r:.100} is no table")])
    entry = known.get("input", {}) | given
    if "sensors" in asked:
        given = listed(asked.pop("sensors"))
        entry["sensors"] = [need for one in given for need in sensor_needs(one, where)]
    labels = asked.pop("labels", None)
    merged = known | asked
    if entry:
        merged["input"] = entry
    if labels is not None:
        merged["outputs"] = labelled(merged.get("outputs", ()), listed(labels), where)
    return {name: as_json(value) for name, value in merged.items()}


def labelled(outputs: Any, labels: list[Any], where: str) -> list[Any]:
    """Return the outputs, the first with these labels."""
    first, *others = list(outputs) or [None]
    if first is None:
        raise DocumentError.of("model document", where, [("labels", "the model's outputs are not known")])
    return [{**first, "labels": labels}, *others]


def format_of(content: bytes, suffix: str) -> str:
    """Return the format of a file, by its content where that says so.

    Raises
    ------
    ModelError
        If the file is empty.

    Examples
    --------
    >>> format_of(bytes(4) + b"TFL3", ".bin"), format_of(b"Rm9v", ".txt")
    ('tflite', 'other')
    """
    if not content:
        raise ModelError("the file is empty", hint="the file as the converter wrote it")
    if content[4:8] == b"TFL3":
        return "tflite"
    if suffix in FORMATS:
        return FORMATS[suffix]
    # The header of safetensors, where Network.save() puts its description.
    return "shoal" if content[8:9] == b"{" and SHOAL in content[8:HEADER] else "other"


def plain_name(stem: str, otherwise: str = "model") -> str:
    """Return a name of the catalog from that of a file or a folder.

    Parameters
    ----------
    otherwise
        The name where nothing of it can be used.

    Examples
    --------
    >>> plain_name("My keyword net (v2)"), plain_name("_")
    ('My-keyword-net-v2', 'model')
    """
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-_.")[:100] or otherwise


def listed(value: Any) -> list[Any]:
    """Return one value or several as a list."""
    return list(value) if isinstance(value, list | tuple) else [value]


def as_json(value: Any) -> Any:
    """Return a part of a document as JSON has it."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, dict):
        return {name: as_json(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(one) for one in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
