"""Documents in the terms of the reference ontology."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.catalog.documents import Device, Model
from shoal.catalog.exporters.reference.devices import device_triples
from shoal.catalog.exporters.reference.models import model_triples
from shoal.catalog.graph import turtle
from shoal.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyoxigraph import Triple

    from shoal.catalog.documents import Document

__all__ = ["profile"]


def profile(documents: Iterable[Document]) -> str:
    """Return models and devices as Turtle; what the ontology has no terms for stays behind.

    Raises
    ------
    DocumentError
        If there is neither a model nor a device, or an id is no IRI.
    """
    found: list[Triple] = []
    for one in documents:
        try:
            if isinstance(one, Model):
                found += model_triples(one)
            elif isinstance(one, Device):
                found += device_triples(one)
        except ValueError as error:
            raise DocumentError.of(f"{one.kind} document", one.id, [("id", f"no IRI: {error}")]) from None
    if not found:
        raise DocumentError.of("export", None, [("", "neither a model nor a device to be exported")])
    return turtle(found)
