"""`shoal board`: what devices are made of."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from shoal.cli import console, hardware
from shoal.cli.catalogs import CatalogOption, opened, place, with_catalog, written
from shoal.cli.console import FormatOption

if TYPE_CHECKING:
    from shoal.catalog import Catalog
    from shoal.catalog.documents import Board

__all__ = ["board", "board_of"]

board = App(name="board", help="Boards: what devices are made of.", help_flags=["--help", "-h"])


@board.command(help_epilogue="")
def add(
    name: str,
    /,
    *,
    catalog: CatalogOption = None,
    output_format: FormatOption = "table",
) -> None:
    """Put a board into the catalog: one of your own, or one that comes with Shoal so that you can change it.

    Parameters
    ----------
    name
        A file (.json) with its document, or the name of a board that comes with Shoal.
    """
    added = written(catalog, lambda found: found.add_board(name))
    if output_format == "json":
        console.json_result(added.body())
    else:
        hardware.show(added.title, added.name, added.hardware)
    following = f"shoal device add --board {shlex.quote(added.name)} --title TITLE"
    console.next_command(with_catalog(following, catalog))


@board.command(name="list", help_epilogue="")
def list_(
    *,
    catalog: CatalogOption = None,
    output_format: FormatOption = "table",
) -> None:
    """List the boards: those that come with Shoal, and those of the catalog, if there is one."""
    boards = all_boards(catalog)
    if output_format == "json":
        console.json_result([one.body() for one in boards])
        return
    rows = [(one.name, one.title, *hardware.row(one.hardware)[1:]) for one in boards]
    console.table(
        console.counted(len(boards), "board"), ("board", "", *hardware.COLUMNS[1:]), rows, left=(0, 1, 4)
    )


@board.command(help_epilogue="")
def show(
    name: str,
    /,
    *,
    thing_model: Annotated[bool, Parameter(negative=())] = False,
    catalog: CatalogOption = None,
    output_format: FormatOption = "table",
) -> None:
    """Show a board.

    Parameters
    ----------
    name
        Of the board.
    thing_model
        As a W3C Thing Model, in JSON.
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
        hardware.show(shown.title, shown.name, shown.hardware)


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
