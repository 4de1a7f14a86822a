"""`shoal device`: the devices of a catalog."""

from __future__ import annotations

import shlex
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from shoal.cli import console, hardware
from shoal.cli.board import board_of
from shoal.cli.catalogs import CatalogOption, Count, listing, opened, with_catalog, written
from shoal.cli.console import FormatOption
from shoal.errors import ConfigError

if TYPE_CHECKING:
    from shoal.catalog import Catalog
    from shoal.catalog.documents import Device, Hardware

__all__ = ["device"]

device = App(
    name="device", help="Devices: what they have, by their Thing Descriptions.", help_flags=["--help", "-h"]
)

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
    output_format: FormatOption = "table",
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
        An absolute IRI, where the file has none; without a file, by default one that belongs to the title.
    """
    if (file is None) == (board is None):
        raise ConfigError(
            "a device is described by a file or by its board",
            where="shoal device add",
            hint="FILE, or --board NAME --title TITLE",
        )
    if file is not None and title:
        raise ConfigError("the file says this", where="--title", hint="edit the file")
    if file is None and not title:
        raise ConfigError("a device needs a title", where="--title", hint='--title "Hall 7"')
    td = None if file is None else described(file, identifier)

    def put(found: Catalog) -> tuple[Device, Hardware]:
        if td is not None:
            found.add(td)
            return td, hardware_of(td, found)
        thing = board_of(str(board), found).thing(identifier or made_id(str(title)), str(title))
        added = found.add_device(thing)
        return added, hardware_of(added, found)

    added, has = written(catalog, put)
    if output_format == "json":
        console.json_result(added.body())
    else:
        hardware.show(added.title, added.id, has)
    console.next_command(with_catalog(f"shoal match --device {shlex.quote(added.id)}", catalog))


def described(file: Path, identifier: str | None) -> Device:
    """Return the device of a file with a Thing Description, with an id where the file has none.

    Raises
    ------
    ConfigError
        If the file has another id.
    """
    from shoal.catalog.documents import Device, parse
    from shoal.catalog.intake import read_file

    td = parse(read_file(file), "Thing Description", str(file))
    if identifier is not None and isinstance(td, dict):
        if td.get("id", identifier) != identifier:
            raise ConfigError(f"the file has the id {td['id']!r:.200}", where="--id", hint="leave it out")
        td = {**td, "id": identifier}
    return Device.checked(td, str(file))


def made_id(title: str) -> str:
    """Return the id of a device that has none: that of its title."""
    return f"urn:uuid:{uuid.uuid5(NAMESPACE, title)}"


@device.command(name="list", help_epilogue="")
def list_(
    *,
    limit: Count = 100,
    catalog: CatalogOption = None,
    output_format: FormatOption = "table",
) -> None:
    """List the devices of the catalog.

    Parameters
    ----------
    limit
        At most so many.
    """
    from shoal.catalog.documents import Device

    with opened(catalog) as found:
        total = found.store.count("device")
        devices = [one for one in found.list("device", limit=limit) if isinstance(one, Device)]
        known = [(one, hardware_of(one, found)) for one in devices]
    if output_format == "json":
        console.json_result([one.body() for one in devices])
        return
    rows = [(one.title, one.id, *hardware.row(has)) for one, has in known]
    listing("device", total, ("device", "id", *hardware.COLUMNS), rows, left=(0, 1, 2, 5))


@device.command(help_epilogue="")
def show(
    name: str,
    /,
    *,
    catalog: CatalogOption = None,
    output_format: FormatOption = "table",
) -> None:
    """Show what the catalog knows of a device; as JSON, its Thing Description as it was given.

    Parameters
    ----------
    name
        Its id, or its title where no other device has it.
    """
    with opened(catalog) as found:
        shown = found.device(name)
        has = hardware_of(shown, found)
    if output_format == "json":
        console.json_result(shown.body())
    else:
        hardware.show(shown.title, shown.id, has)


def hardware_of(one: Device, catalog: Catalog) -> Hardware:
    """Return the hardware of a device, filled up from the boards of the catalog."""
    from shoal.catalog.documents import Board

    return one.hardware_with({b.id: b.hardware for b in catalog.list("board") if isinstance(b, Board)})
