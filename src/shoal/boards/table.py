"""The tables of docs/boards.md.

Run as ``python -m shoal.boards.table docs/boards.md`` after a change to the catalog.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.boards.board import TARGETS, Board
from shoal.boards.catalog import BOARDS
from shoal.boards.sensor import Sensor
from shoal.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["page"]

PLACE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def page(text: str, boards: Iterable[Board]) -> str:
    """Return a page with its tables written anew.

    Parameters
    ----------
    text
        Markdown; a table stands between ``<!-- table: NAME -->`` and ``<!-- end -->``.
    boards
        What the tables are about.

    Raises
    ------
    ConfigError
        If there is no table of a name.
    """
    boards = list(boards)

    def renew(place: re.Match[str]) -> str:
        name = place[2]
        if name not in TABLES:
            raise ConfigError(f"no table '{name}'", where="the page", hint=f"one of {', '.join(TABLES)}")
        return f"{place[1]}\n{TABLES[name](boards)}\n{place[3]}"

    return PLACE.sub(renew, text)


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _kib(size: int) -> str:
    return f"{size // 1024:,}"


def _boards(boards: list[Board]) -> str:
    head = ("name", "board", "core", "FPU", "MHz", "RAM", "RAM in all", "flash", "observes")
    return _markdown(
        head,
        (
            (
                f"`{board.name}`",
                board.title,
                board.core,
                board.chip.fpu,
                f"{board.clock_hz // 1_000_000}",
                _kib(board.ram_bytes),
                _kib(board.chip.ram_total_bytes),
                _kib(board.flash_bytes),
                ", ".join(board.observes),
            )
            for board in boards
        ),
    )


def _targets(boards: list[Board]) -> str:
    return _markdown(
        ("name", *TARGETS),
        (
            (
                f"`{board.name}`",
                *(f"`{board.targets[tool]}`" if tool in board.targets else "" for tool in TARGETS),
            )
            for board in boards
            if board.targets
        ),
    )


def _range(sensor: Sensor) -> str:
    if sensor.pixels is not None:
        return f"{sensor.pixels[0]} × {sensor.pixels[1]}"
    if sensor.low is None or sensor.high is None:
        return ""
    return f"{sensor.low:,g} to {sensor.high:,g} {sensor.unit}".replace("-", "−")


def _rate(sensor: Sensor) -> str:
    return "" if sensor.rate_hz is None else f"{sensor.rate_hz:,g}"


def _sensors(boards: list[Board]) -> str:
    sensors = {(sensor.part, sensor.observes): sensor for board in boards for sensor in board.sensors}
    return _markdown(
        ("part", "observes", "widest range", "at most Hz", "source"),
        (
            (part, observes, _range(sensor), _rate(sensor), sensor.source)
            for (part, observes), sensor in sorted(sensors.items())
        ),
    )


def _currents(boards: list[Board]) -> str:
    currents = {board.chip.title: board.chip.current for board in boards}
    return _markdown(
        ("chip", "µA/MHz", "V", "pJ per cycle", "while", "source"),
        (
            (
                title,
                f"{current.microamperes_per_mhz:g}",
                f"{current.volts:g}",
                f"{current.joules_per_cycle * 1e12:.0f}",
                current.condition,
                current.source,
            )
            for title, current in sorted(currents.items(), key=lambda item: item[0])
            if current is not None
        ),
    )


def _sources(boards: list[Board]) -> str:
    return _markdown(
        ("name", "board", "chip"),
        ((f"`{board.name}`", board.source, f"{board.chip.title}: {board.chip.source}") for board in boards),
    )


TABLES: dict[str, Callable[[list[Board]], str]] = {
    "boards": _boards,
    "targets": _targets,
    "sensors": _sensors,
    "currents": _currents,
    "sources": _sources,
}


def main() -> int:
    """Write the tables of a page anew, and return the exit status."""
    file = Path(sys.argv[1])
    file.write_text(page(file.read_text(encoding="utf-8"), BOARDS.values()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
