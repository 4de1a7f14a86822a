"""The boards that come with Shoal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

from shoal.boards import check
from shoal.boards.board import Board
from shoal.boards.parse import parse
from shoal.errors import ConfigError

__all__ = ["BOARDS", "board"]


@cache
def _read() -> dict[str, Board]:
    """Read the catalog, when it is first asked for."""
    name = "catalog.toml"
    return parse((resources.files("shoal.boards") / name).read_text(encoding="utf-8"), name)


class _Catalog(Mapping[str, Board]):
    """The boards by name, read when they are first used."""

    def __getitem__(self, name: str) -> Board:
        return _read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_read())

    def __len__(self) -> int:
        return len(_read())

    def __repr__(self) -> str:
        return f"<{len(self)} boards: {', '.join(self)}>"


# All boards by name, smallest RAM first.
BOARDS: Mapping[str, Board] = _Catalog()


def board(name: str) -> Board:
    """Return the board of this name.

    Raises
    ------
    ConfigError
        If no board has it.

    Examples
    --------
    >>> nano = board("nano33ble")
    >>> nano.core, nano.ram_bytes, nano.flash_bytes
    ('cortex-m4f', 262144, 1048576)
    >>> [sensor.part for sensor in nano.sensors if sensor.observes == "sound"]
    ['MP34DT05-A']
    >>> nano.targets["platformio"]
    'nano33ble'
    """
    if name not in BOARDS:
        raise ConfigError(f"unknown board '{name}'", where="board", hint=check.nearest(name, BOARDS))
    return BOARDS[name]
