"""Reading boards from TOML."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, TypeVar

from shoal.boards import check
from shoal.boards.board import Board
from shoal.boards.chip import Chip, Current
from shoal.boards.sensor import Sensor
from shoal.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["parse"]

T = TypeVar("T")
KIB = 1024
MHZ = 1_000_000
NUMBER = (int, float)

# The keys of each table, with their types: those that it must have, and those that it may have.
Keys = dict[str, type | tuple[type, ...]]
PARTS: tuple[Keys, Keys] = {"source": str, "observes": list}, {}
OBSERVES: tuple[Keys, Keys] = (
    {"property": str},
    {"low": NUMBER, "high": NUMBER, "rate_hz": NUMBER, "axes": int, "pixels": list},
)
CURRENT: tuple[Keys, Keys] = (
    {"microamperes_per_mhz": NUMBER, "volts": NUMBER, "condition": str, "source": str},
    {},
)
CHIPS: tuple[Keys, Keys] = (
    {"title": str, "core": str, "fpu": str, "clock_mhz": int, "ram_kib": int, "source": str},
    {"ram_total_kib": int, "current": dict},
)
BOARDS: tuple[Keys, Keys] = (
    {"title": str, "chip": str, "flash_kib": int, "source": str},
    {"external_ram_kib": int, "sensors": list, "targets": dict},
)


def parse(text: str, path: str) -> dict[str, Board]:
    """Return the boards that a TOML text describes, smallest RAM first.

    Parameters
    ----------
    text
        Three tables of tables: ``parts`` are sensors, ``chips`` microcontrollers, ``boards`` name both.
    path
        Where the text is from, for errors.

    Raises
    ------
    ConfigError
        If it is not TOML, or says something that cannot be.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {error}", where=path, hint="see catalog.toml") from None
    tables = _table(document, path, ({"chips": dict, "boards": dict}, {"parts": dict}))
    parts = {
        name: _part(name, value, f"{path}: parts.{name}") for name, value in tables.get("parts", {}).items()
    }
    chips = {name: _chip(value, f"{path}: chips.{name}") for name, value in tables["chips"].items()}
    boards = [
        _board(name, value, f"{path}: boards.{name}", chips, parts)
        for name, value in tables["boards"].items()
    ]
    return {board.name: board for board in sorted(boards, key=lambda board: (board.ram_bytes, board.title))}


def _part(name: str, value: object, where: str) -> tuple[Sensor, ...]:
    """Return what a part observes."""
    part = _table(value, where, PARTS)
    return tuple(
        _sensor(name, part["source"], entry, f"{where}.observes[{i}]")
        for i, entry in enumerate(part["observes"])
    )


def _sensor(part: str, source: str, value: object, where: str) -> Sensor:
    """Return one property that a part observes."""
    facts = _table(value, where, OBSERVES)
    observes = facts.pop("property")
    if "pixels" in facts:
        pixels = _list(facts["pixels"], f"{where}.pixels", int)
        if len(pixels) != 2:
            raise ConfigError(f"pixels is {pixels}", where=f"{where}.pixels", hint="[width, height]")
        facts["pixels"] = tuple(pixels)
    return _make(lambda: Sensor(observes=observes, part=part, source=source, **facts), where)


def _chip(value: object, where: str) -> Chip:
    """Return a microcontroller."""
    chip = _table(value, where, CHIPS)
    current = None
    if "current" in chip:
        facts = _table(chip["current"], f"{where}.current", CURRENT)
        current = _make(lambda: Current(**facts), f"{where}.current")
    return _make(
        lambda: Chip(
            title=chip["title"],
            core=chip["core"],
            fpu=chip["fpu"],
            clock_hz=chip["clock_mhz"] * MHZ,
            ram_bytes=chip["ram_kib"] * KIB,
            ram_total_bytes=chip.get("ram_total_kib", chip["ram_kib"]) * KIB,
            source=chip["source"],
            current=current,
        ),
        where,
    )


def _board(
    name: str, value: object, where: str, chips: dict[str, Chip], parts: dict[str, tuple[Sensor, ...]]
) -> Board:
    """Return a board; chips and parts are looked up by name."""
    board = _table(value, where, BOARDS)
    names = _list(board.get("sensors", []), f"{where}.sensors", str)
    targets = board.get("targets", {})
    _table(targets, f"{where}.targets", ({}, dict.fromkeys(targets, str)))
    return _make(
        lambda: Board(
            name=name,
            title=board["title"],
            chip=_named(board["chip"], chips, "chip"),
            flash_bytes=board["flash_kib"] * KIB,
            source=board["source"],
            external_ram_bytes=board.get("external_ram_kib", 0) * KIB,
            sensors=tuple(sensor for part in names for sensor in _named(part, parts, "sensors")),
            targets=targets,
        ),
        where,
    )


def _table(value: object, where: str, keys: tuple[Keys, Keys]) -> dict[str, Any]:
    """Check the keys of a table and the types of their values."""
    must, may = keys
    known = must | may
    if not isinstance(value, dict):
        raise ConfigError(f"{value!r} is not a table", where=where, hint=f"a table of {', '.join(known)}")
    for key, item in value.items():
        if key not in known:
            raise ConfigError(f"unknown key '{key}'", where=where, hint=check.nearest(key, known))
        _of(item, f"{where}.{key}", known[key])
    missing = [key for key in must if key not in value]
    if missing:
        raise ConfigError(f"'{missing[0]}' is missing", where=where, hint=f"needs {', '.join(must)}")
    return dict(value)


def _list(values: list[Any], where: str, kind: type) -> list[Any]:
    """Check the types of the entries of a list."""
    for i, value in enumerate(values):
        _of(value, f"{where}[{i}]", kind)
    return values


def _of(value: object, where: str, kind: type | tuple[type, ...]) -> None:
    """Check the type of a value; true and false are no numbers."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise ConfigError(f"{value!r} cannot be used", where=where, hint=f"of type {kinds[-1].__name__}")


def _named(name: str, things: dict[str, T], key: str) -> T:
    """Look up what a board names."""
    if name not in things:
        raise ConfigError(f"'{name}' is not described", where=key, hint=check.nearest(name, things))
    return things[name]


def _make(make: Callable[[], T], where: str) -> T:
    """Return what a call makes; what it refuses is refused with its place."""
    try:
        return make()
    except ConfigError as error:
        raise ConfigError(error.what, where=f"{where}.{error.where}", hint=error.hint) from None
