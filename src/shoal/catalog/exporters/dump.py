"""Documents out, in the formats of others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

from shoal.catalog.documents import Device, Model
from shoal.errors import ConfigError, DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shoal.catalog.documents import Document

__all__ = ["FORMATS", "Format", "dump"]

Format = Literal["turtle", "jsonld", "td", "card", "cyclonedx", "mldcat", "reference"]
# Each format with the ending of its files.
FORMATS: dict[str, str] = {
    "turtle": ".ttl",
    "jsonld": ".jsonld",
    "td": ".td.jsonld",
    "card": ".md",
    "cyclonedx": ".cdx.json",
    "mldcat": ".ttl",
    "reference": ".ttl",
}


def dump(documents: Iterable[Document], format: Format) -> str:
    """Return documents in a format.

    Parameters
    ----------
    documents
        Kinds that the format has no place for are left out.
    format
        turtle, jsonld: the graph, with the documents in it, which :func:`shoal.catalog.importers.load` reads
        again as they are. td: Thing Descriptions, an array where there is more than one. card: the Hugging
        Face model card of one model. cyclonedx: CycloneDX 1.7 of models and devices. mldcat: MLDCAT-AP 3.1 of
        models. reference: models and devices in the ontology of the reference system.

    Raises
    ------
    ConfigError
        If there is no such format.
    DocumentError
        If nothing among them has a place in it.

    Examples
    --------
    >>> from shoal.catalog.documents import Model
    >>> model = Model(sha256="0" * 64, name="wake", version="1.0.0", format="tflite", size=18712)
    >>> dump([model], "cyclonedx").splitlines()[4]
    '  "specVersion": "1.7",'
    """
    from shoal.catalog.exporters import card, cyclonedx, mldcat, reference
    from shoal.catalog.exporters import documents as own

    chosen = list(documents)
    if format == "turtle":
        return own.as_turtle(chosen)
    if format == "jsonld":
        return own.as_jsonld(chosen)
    if format == "cyclonedx":
        return cyclonedx.bill(chosen)
    if format == "mldcat":
        return mldcat.mldcat(chosen)
    if format == "reference":
        return reference.profile(chosen)
    models = [one for one in chosen if isinstance(one, Model)]
    devices = [one for one in chosen if isinstance(one, Device)]
    if format == "td":
        if not devices:
            raise DocumentError.of("export", None, [("", "no device to be exported")])
        things = [device.td for device in devices]
        return json.dumps(things[0] if len(things) == 1 else things, indent=2, ensure_ascii=False) + "\n"
    if format == "card":
        if len(models) != 1:
            raise DocumentError.of("model card", None, [("", f"{len(models)} models, a card is of one")])
        return card.card(models[0])
    raise ConfigError(f"no format '{format}'", where="format", hint=f"one of {', '.join(FORMATS)}")
