"""What of a document can be found."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from shoal.catalog.documents import Board, Device, Hardware, Model
from shoal.catalog.vocabulary.terms import PROPERTIES, ancestors
from shoal.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Fields", "fields"]

LONGEST = 20_000  # characters of a field
# Members of a Thing Description that address or protect it, and say nothing about what it is.
SILENT = frozenset(
    {
        "@context",
        "id",
        "title",
        "forms",
        "href",
        "base",
        "security",
        "securityDefinitions",
        "$schema",
        "unit",
        "type",
    }
)

logger = logging.getLogger(__name__)


class Fields(NamedTuple):
    """The text of a document, field by field: the columns of the index, most telling first."""

    name: str
    title: str
    tags: str = ""
    labels: str = ""
    sensors: str = ""
    operators: str = ""
    description: str = ""


def fields(kind: str, id: str, body: dict[str, Any]) -> Fields:
    """Return what of a document can be found.

    Examples
    --------
    >>> fields("learning", "urn:hall-7", {"device": "urn:hall-7", "labels": {"idle": 3}}).description
    'device urn:hall-7 labels idle'
    """
    try:
        found = of_kind(kind, id, body)
    except (
        ValidationError,
        DocumentError,
    ) as error:  # of a release with other rules; its words are still there
        logger.warning("%s '%s': %s", kind, id, error)
        found = Fields(id, "", description=words(body))
    return Fields(*(" ".join(text.split())[:LONGEST] for text in found))


def of_kind(kind: str, id: str, body: dict[str, Any]) -> Fields:
    """Return the fields of a document as its kind has them."""
    if kind == "model":
        return of_model(Model.model_validate(body))
    if kind == "device":
        return of_device(Device.model_construct(td=body))
    if kind == "board":
        return of_board(Board.model_validate(body))
    return Fields(id, body.get("title", ""), description=words(body))


def of_model(model: Model) -> Fields:
    """Return the fields of a model."""
    tensors = (*model.inputs, *model.outputs)
    needs = model.input.sensors
    operators = {word for one in model.operators for word in (one.name, one.dtype)}
    return Fields(
        name=f"{model.name} {model.version}",
        title=model.title,
        tags=" ".join((model.task, *model.tags)),
        labels=" ".join((*model.input.channels, *(label for tensor in tensors for label in tensor.labels))),
        sensors=observed(need.observes for need in needs),
        operators=" ".join((*sorted(operators), model.format, model.runtime)),
        description=" ".join(
            (
                model.description,
                model.dataset,
                model.creator,
                model.licence,
                model.reference,
                model.input.preparation,
                *(f"{tensor.name} {tensor.description}" for tensor in tensors),
            )
        ),
    )


def of_board(board: Board) -> Fields:
    """Return the fields of a board."""
    hardware = board.hardware
    return Fields(
        board.name,
        board.title,
        tags=hardware.core or "",
        sensors=observed(sensor.observes for sensor in hardware.sensors or ()),
        operators=runtimes(hardware),
        description=board.source,
    )


def of_device(device: Device) -> Fields:
    """Return the fields of a device."""
    td, hardware = device.td, device.hardware
    board = hardware.board or ""
    kinds = td.get("@type", [])
    affordances = [
        name
        for part in ("properties", "actions", "events")
        for name in td.get(part, {})
        if isinstance(name, str)
    ]
    return Fields(
        name=device.id,
        title=device.title,
        tags=" ".join((board, hardware.core or "", *([kinds] if isinstance(kinds, str) else kinds))),
        labels=" ".join(affordances),
        sensors=observed(sensor.observes for sensor in hardware.sensors or ()),
        operators=runtimes(hardware),
        description=words({key: value for key, value in td.items() if key not in SILENT}),
    )


def runtimes(hardware: Hardware) -> str:
    """Return the runtimes of a device and the operators that they name."""
    found = hardware.runtimes or ()
    operators = sorted({one.name for runtime in found for one in runtime.operators or ()})
    return " ".join((*(f"{runtime.name} {runtime.version}" for runtime in found), *operators))


def observed(properties: Iterable[str]) -> str:
    """Return observed properties in all the words that mean them.

    Examples
    --------
    >>> observed(["speech"])
    'sound Microphone audio speech VoiceMicrophone voice'
    """
    names = sorted({name for one in properties for name in ancestors(one)})
    terms = [(name, PROPERTIES.get(name)) for name in names]
    return " ".join(
        word
        for name, term in terms
        for word in ((name,) if term is None else (name, term.sensor, *term.aliases))
    )  # fmt: skip


def words(value: object) -> str:
    """Return all text in a JSON value, names of members included."""
    return " ".join(texts(value))


def texts(value: object) -> Iterator[str]:
    """Yield the text in a JSON value, in its order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            if key not in SILENT or isinstance(one, dict):
                yield key
                yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
