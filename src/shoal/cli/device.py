"""`shoal device` and `shoal board`: the devices of a catalog, and what they are made of."""

from __future__ import annotations

import shlex
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from shoal.cli import console
from shoal.cli.catalog_model import need_text
from shoal.cli.catalogs import CatalogOption, opened, place
from shoal.cli.console import Format
from shoal.errors import ConfigError

if TYPE_CHECKING:
    from shoal.catalog import Catalog
    from shoal.catalog.documents import Board, Device, Hardware

__all__ = ["board", "device"]

FLAGS = ["--help", "-h"]
device = App(name="device", help="Devices: what they have, by their Thing Descriptions.", help_flags=FLAGS)
board = App(name="board", help="Boards: what devices are made of.", help_flags=FLAGS)

# Ids of devices that are described here: the same title always has the same one.
NAMESPACE = uuid.UUID("6f1b2f0e-64a2-5b0c-9d1a-3c52f6f0a9a7")


@device.command(help_epilogue="")
def add(
    file: Path | None = None,
    /,
    *,
    board: str | None = None,
    title: str | None = None,
    identifier: Annotated[str | None, Parameter(name="--id")] = None,
    catalog: CatalogOption = None,
    output_format: Annotated[Format, Parameter(name="--format")] = "table",
) -> None:
    """Put a device into the catalog: by its Thing Description, or as one more of a board.

    Parameters
    ----------
    file
        A W3C Thing Description (JSON); it is kept as it is.
    board
        Without a file: name of the board that the device is.
    title
        Without a file: name of the device.
    identifier
        An absolute IRI; without a file one that belongs to the title, by default.
    catalog
        The catalog's file; SHOAL_CATALOG or catalog.shoal by default.
    output_format
        table, or json for programs.
    """
    if (file is None) == (board is None):
        raise ConfigError(
            "a device is described by a file or by its board",
            where="shoal device add",
            hint="FILE, or --board NAME --title TITLE",
        )
    if file is not None and (title or identifier):
        raise ConfigError("the file says this", where="--title and --id", hint="edit the file")
    with opened(catalog, make=True) as found:
        if file is not None:
            added = found.add_device(file)
        else:
            if not title:
                raise ConfigError("a device needs a title", where="--title", hint='--title "Hall 7"')
            chosen = board_of(str(board), found)
            added = found.add_device(
                chosen.thing(identifier or f"urn:uuid:{uuid.uuid5(NAMESPACE, title)}", title)
            )
        hardware = hardware_of(added, found)
    if output_format == "json":
        console.json_result(added.body())
    else:
        details(added.title, added.id, hardware)
    console.next_command(f"shoal match --device {shlex.quote(added.id)}")


@device.command(name="list", help_epilogue="")
def list_devices(
    *,
    limit: int = 100,
    catalog: CatalogOption = None,
    output_format: Annotated[Format, Parameter(name="--format")] = "table",
) -> None:
    """List the devices of the catalog.

    Parameters
    ----------
    limit
        At most so many.
    catalog
        The catalog's file; SHOAL_CATALOG or catalog.shoal by default.
    output_format
        table, or json for programs.
    """
    from shoal.catalog.documents import Device

    with opened(catalog) as found:
        total = found.store.count("device")
        devices = [one for one in found.list("device", limit=limit) if isinstance(one, Device)]
        known = [(one, hardware_of(one, found)) for one in devices]
    if output_format == "json":
        console.json_result([one.body() for one in devices])
        return
    rows = [(one.title, one.id, *row(hardware)) for one, hardware in known]
    console.table(console.counted(total, "device"), ("device", "id", *COLUMNS), rows, left=(0, 1, 2, 5))
    if total > len(devices):
        console.note(f"{total - len(devices):,} more: --limit {total}")


@device.command(name="show", help_epilogue="")
def show_device(
    name: str,
    /,
    *,
    catalog: CatalogOption = None,
    output_format: Annotated[Format, Parameter(name="--format")] = "table",
) -> None:
    """Show what the catalog knows of a device; as JSON, its Thing Description as it was given.

    Parameters
    ----------
    name
        Its id, or its title where no other device has it.
    catalog
        The catalog's file; SHOAL_CATALOG or catalog.shoal by default.
    output_format
        table, or json for programs.
    """
    with opened(catalog) as found:
        shown = found.device(name)
        hardware = hardware_of(shown, found)
    if output_format == "json":
        console.json_result(shown.body())
    else:
        details(shown.title, shown.id, hardware)


@board.command(name="add", help_epilogue="")
def add_board(
    name: str,
    /,
    *,
    catalog: CatalogOption = None,
    output_format: Annotated[Format, Parameter(name="--format")] = "table",
) -> None:
    """Put a board into the catalog: one of your own, or one that comes with Shoal so that you can change it.

    Parameters
    ----------
    name
        A file (.json) with its document, or the name of a board that comes with Shoal.
    catalog
        The catalog's file; SHOAL_CATALOG or catalog.shoal by default.
    output_format
        table, or json for programs.
    """
    with opened(catalog, make=True) as found:
        added = found.add_board(name)
    if output_format == "json":
        console.json_result(added.body())
    else:
        details(added.title, added.name, added.hardware)
    console.next_command(f"shoal device add --board {shlex.quote(added.name)} --title TITLE")


@board.command(name="list", help_epilogue="")
def list_boards(
    *,
    catalog: CatalogOption = None,
    output_format: Annotated[Format, Parameter(name="--format")] = "table",
) -> None:
    """List the boards: those that come with Shoal, and those of the catalog.

    Parameters
    ----------
    catalog
        The catalog's file; SHOAL_CATALOG or catalog.shoal by default. It need not exist.
    output_format
        table, or json for programs.
    """
    boards = all_boards(catalog)
    if output_format == "json":
        console.json_result([one.body() for one in boards])
        return
    rows = [(one.name, one.title, *row(one.hardware)[1:]) for one in boards]
    console.table(console.counted(len(boards), "board"), ("board", "", *COLUMNS[1:]), rows, left=(0, 1, 4))


@board.command(name="show", help_epilogue="")
def show_board(
    name: str,
    /,
    *,
    thing_model: Annotated[bool, Parameter(negative=())] = False,
    catalog: CatalogOption = None,
    output_format: Annotated[Format, Parameter(name="--format")] = "table",
) -> None:
    """Show a board.

    Parameters
    ----------
    name
        Of the board.
    thing_model
        As a W3C Thing Model, in JSON.
    catalog
        The catalog's file; SHOAL_CATALOG or catalog.shoal by default. It need not exist.
    output_format
        table, or json for programs.
    """
    if place(catalog).exists():
        with opened(catalog) as found:
            shown = board_of(name, found)
    else:
        shown = board_of(name, None)
    if thing_model:
        console.json_result(shown.thing_model())
    elif output_format == "json":
        console.json_result(shown.body())
    else:
        details(shown.title, shown.name, shown.hardware)


def all_boards(catalog: Path | None) -> list[Board]:
    """Return all boards by name, smallest RAM first; those of the catalog go before those of Shoal."""
    from shoal.boards import BOARDS
    from shoal.catalog.documents import Board, board_document

    known = {name: board_document(name) for name in BOARDS}
    if place(catalog).exists():
        with opened(catalog) as found:
            known |= {one.id: one for one in found.list("board") if isinstance(one, Board)}
    boards = [one for one in known.values() if one is not None]
    return sorted(boards, key=lambda one: (one.hardware.ram.total if one.hardware.ram else 0, one.name))


def board_of(name: str, catalog: Catalog | None) -> Board:
    """Return a board, of the catalog or of Shoal.

    Raises
    ------
    ConfigError
        If there is none of this name.
    """
    from shoal import boards
    from shoal.catalog.documents import Board, board_document

    record = None if catalog is None else catalog.store.get("board", name)
    if record is not None:
        return Board.model_validate(record.body)
    known = board_document(name)
    if known is None:
        boards.board(name)  # names the nearest
    assert known is not None  # noqa: S101
    return known


def hardware_of(one: Device, catalog: Catalog) -> Hardware:
    """Return the hardware of a device, filled up from the boards of the catalog."""
    from shoal.catalog.documents import Board

    return one.hardware_with({b.id: b.hardware for b in catalog.list("board") if isinstance(b, Board)})


COLUMNS = ("board", "RAM", "flash", "observes")


def row(hardware: Hardware) -> tuple[str, str, str, str]:
    """Return the columns of a device or a board."""
    observes = sorted({sensor.observes for sensor in hardware.sensors or ()})
    memory = ["" if one is None else f"{one.free:,}" for one in (hardware.ram, hardware.flash)]
    return hardware.board or "", memory[0], memory[1], ", ".join(observes)


def details(title: str, name: str, hardware: Hardware) -> None:
    """Write the table of a device or a board."""
    memory = [
        (name, f"{one.free:,} B free of {one.total:,}" if one.reserved else f"{one.total:,} B")
        for name, one in (("RAM", hardware.ram), ("flash", hardware.flash))
        if one is not None
    ]
    runtimes = [
        " ".join(filter(None, (one.name, one.version, "(learns)" if one.training else "")))
        for one in hardware.runtimes or ()
    ]
    rows: list[tuple[str, Any]] = [
        ("id", name),
        ("board", hardware.board or ""),
        ("core", hardware.core or ""),
        ("clock", f"{hardware.clock_hz / 1e6:g} MHz" if hardware.clock_hz else ""),
        *memory,
        *((f"sensor {sensor.part}".strip(), need_text(sensor)) for sensor in hardware.sensors or ()),
        ("runtimes", ", ".join(runtimes)),
        ("licences", ", ".join(hardware.licences or ())),
    ]
    console.table(title or name, ("", ""), [one for one in rows if one[1]], left=(0, 1))
