"""Kinds of documents, and their JSON Schemas."""

from __future__ import annotations

from typing import Any

from shoal.catalog.documents.board import Board, Hardware
from shoal.catalog.documents.device import Device
from shoal.catalog.documents.document import Document
from shoal.catalog.documents.hardware import HARDWARE
from shoal.catalog.documents.model import Model
from shoal.catalog.documents.records import Alias, Deployment, LearningState, Measurement, Query, Run
from shoal.catalog.documents.thing import Thing
from shoal.errors import UnknownError

__all__ = ["KINDS", "kind_of", "schema"]

# Every kind of document, by its name.
KINDS: dict[str, type[Document]] = {
    document.kind: document
    for document in (Model, Device, Board, Alias, Deployment, Run, Measurement, LearningState, Query)
}


def kind_of(name: str) -> type[Document]:
    """Return a kind of document.

    Raises
    ------
    UnknownError
        If there is none of this name.

    Examples
    --------
    >>> kind_of("board").__name__
    'Board'
    """
    if name not in KINDS:
        raise UnknownError(f"there is no kind of document '{name}'", where="kind", hint=", ".join(KINDS))
    return KINDS[name]


def schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind of document, in the dialect 2020-12.

    Parameters
    ----------
    kind
        A key of :data:`KINDS`; that of a device is the one of a Thing Description.

    Raises
    ------
    UnknownError
        If there is none of this name.

    Examples
    --------
    >>> schema("device")["required"]
    ['title', '@context', 'security', 'securityDefinitions', 'id']
    """
    document = kind_of(kind)
    described = (Thing if document is Device else document).model_json_schema(by_alias=True)
    if document is Device:
        described["required"].append("id")
        hardware = Hardware.model_json_schema()
        described["$defs"] |= hardware.pop("$defs")
        described["properties"][HARDWARE] = hardware
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}
