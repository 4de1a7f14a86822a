"""The hardware of a device, read from its Thing Description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

from shoal.boards import BOARDS
from shoal.boards import Board as Facts
from shoal.catalog.documents.amount import Capacity
from shoal.catalog.documents.board import Board, Hardware, Runtime
from shoal.catalog.documents.document import problems
from shoal.catalog.documents.sensor import Sensor
from shoal.catalog.documents.subsystem import memories, prefixes, sensor_types, values
from shoal.catalog.vocabulary.terms import property_named, unit_factor
from shoal.catalog.vocabulary.units import unit_named
from shoal.errors import DocumentError, InputError

__all__ = ["HARDWARE", "board_document", "board_hardware", "board_of", "hardware_of"]

# The term of a Thing Description that holds a :class:`Hardware`.
HARDWARE = "shoal:hardware"
BOARD = "urn:shoal:board:"


@cache
def board_hardware(name: str) -> Hardware | None:
    """Return the hardware of a board that comes with Shoal, None if none has this name.

    Examples
    --------
    >>> board_hardware("nano33ble").ram.total
    262144
    """
    return _known(BOARDS[name]) if name in BOARDS else None


def board_document(name: str) -> Board | None:
    """Return the document of a board that comes with Shoal, None if none has this name.

    Examples
    --------
    >>> board_document("nano33ble").title
    'Arduino Nano 33 BLE Sense'
    """
    hardware = board_hardware(name)
    if hardware is None:
        return None
    return Board(name=name, title=BOARDS[name].title, source=BOARDS[name].source, hardware=hardware)


def board_of(td: Mapping[str, Any]) -> str | None:
    """Return the board that a Thing Description names, in the block `shoal:hardware` or by a link.

    Examples
    --------
    >>> board_of({"shoal:hardware": {"board": "nano33ble"}})
    'nano33ble'
    >>> board_of({"links": [{"rel": "type", "href": "urn:shoal:board:hall-node"}]})
    'hall-node'
    """
    block = td.get(HARDWARE)
    said = block.get("board") if isinstance(block, Mapping) else None
    return said.strip() if isinstance(said, str) else _linked(td)


def hardware_of(td: Mapping[str, Any], boards: Mapping[str, Hardware] | None = None) -> Hardware:
    """Return what a Thing Description says of its hardware.

    What the block `shoal:hardware` says goes first, then SSN and S3N terms, then property affordances that
    observe (by `shoal:observes`, or a property or a sensor class of the vocabulary as `@type`), and last the
    board that it names, in the block or by a link `rel: type` to `urn:shoal:board:<name>`.

    Parameters
    ----------
    td
        A Thing Description that was checked.
    boards
        Hardware of boards by name, before those that come with Shoal.

    Raises
    ------
    DocumentError
        If the block or the unit of what is observed is wrong.

    Examples
    --------
    >>> hardware = hardware_of({"shoal:hardware": {"board": "nano33ble", "ram": {"total": 200000}}})
    >>> hardware.ram.total, hardware.core, hardware.sensors[0].observes
    (200000, 'cortex-m4f', 'acceleration')
    """
    said = _block(td)
    board = board_of(td)
    facts = ((boards or {}).get(board) or board_hardware(board)) if board else None
    memory = memories(td)
    types = sensor_types(td)
    sensors = said.sensors
    if sensors is None and types:
        sensors = tuple(Sensor(observes=one) for one in types)
    if sensors is None and facts is not None:
        sensors = facts.sensors
    sensors = _with(sensors, list(_observed(td)))
    silent = facts or Hardware()
    return Hardware(
        board=board,
        core=said.core or silent.core,
        clock_hz=said.clock_hz or silent.clock_hz,
        ram=said.ram or memory.get("RAM") or silent.ram,
        flash=said.flash or memory.get("Flash") or silent.flash,
        sensors=sensors,
        runtimes=silent.runtimes if said.runtimes is None else said.runtimes,
        licences=silent.licences if said.licences is None else said.licences,
    )


def _block(td: Mapping[str, Any]) -> Hardware:
    """Return the block of our own."""
    try:
        return Hardware.model_validate(td.get(HARDWARE, {}))
    except ValidationError as error:
        raise DocumentError.of("device document", None, problems(error, HARDWARE)) from None


def _linked(td: Mapping[str, Any]) -> str | None:
    """Return the board that a link names as the Thing's model."""
    for link in td.get("links", ()):
        href = str(link.get("href"))
        if link.get("rel") == "type" and href.startswith(BOARD):
            return href.removeprefix(BOARD)
    return None


def _observed(td: Mapping[str, Any]) -> Iterator[Sensor]:
    """Yield a sensor for each property affordance that observes."""
    context = prefixes(td)
    for name, affordance in td.get("properties", {}).items():
        said = affordance.get("shoal:observes")
        said = said.get("@id") if isinstance(said, dict) else said
        types = (context(one) for one in values(affordance.get("@type")) if isinstance(one, str))
        known = next(filter(None, map(property_named, [said] if isinstance(said, str) else types)), None)
        if known is None and said is not None:
            raise _wrong(
                f"properties.{name}.shoal:observes", f"{said!r:.100} is no property of the vocabulary"
            )
        if known is None:
            continue
        place = f"properties.{name}"
        try:
            yield Sensor(
                observes=known,
                rate_hz=affordance.get("shoal:rate_hz"),
                axes=affordance.get("shoal:axes"),
                **_range(affordance, known, place, strict=said is not None),
            )
        except ValidationError as error:
            raise DocumentError.of("device document", None, problems(error, place)) from None


def _range(affordance: Mapping[str, Any], observes: str, place: str, *, strict: bool) -> dict[str, Any]:
    """Return the range of a property affordance, empty if it has none."""
    low, high, unit = affordance.get("minimum"), affordance.get("maximum"), affordance.get("unit")
    if low is None or high is None or low >= high:
        return {}
    try:
        unit_factor(unit, observes)
    except InputError as error:
        if strict:
            raise _wrong(f"{place}.unit", error.what) from None
        return {}
    known = unit_named(unit) if unit else None
    return {"low": low, "high": high, "unit": known and known.name}


def _wrong(place: str, problem: str) -> DocumentError:
    """Return the error of one field."""
    return DocumentError.of("device document", None, [(place, problem)])


def _with(sensors: tuple[Sensor, ...] | None, observed: list[Sensor]) -> tuple[Sensor, ...] | None:
    """Return sensors with those that affordances tell of: more of them, and ranges where none were known."""
    if not observed:
        return sensors
    ranges = {one.observes: one for one in observed if one.low is not None}
    merged = [
        ranges[one.observes] if one.low is None and not one.part and one.observes in ranges else one
        for one in sensors or ()
    ]
    known = {one.observes for one in merged}
    return (*merged, *(one for one in observed if one.observes not in known))


def _known(board: Facts) -> Hardware:
    """Return the hardware of a board of the table; Shoal's runtime, which learns, can be built for each."""
    return Hardware(
        board=board.name,
        core=board.core,
        clock_hz=board.clock_hz,
        ram=Capacity(total=board.ram_bytes),
        flash=Capacity(total=board.flash_bytes),
        sensors=tuple(
            Sensor(
                observes=one.observes,
                low=one.low,
                high=one.high,
                rate_hz=one.rate_hz,
                axes=one.axes,
                part=one.part,
            )
            for one in board.sensors
        ),
        runtimes=(Runtime(name="shoal", training=True),),
    )
