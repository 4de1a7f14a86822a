"""A firmware project: all of its files, written at once or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.build.model import model_values
from shoal.build.requirements import requirements
from shoal.build.selection import config_header
from shoal.build.sources import licence, sources, with_headers
from shoal.build.target import runtime_sources
from shoal.build.targets import TARGETS
from shoal.build.template import rendered
from shoal.errors import ConfigError, StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.build.firmware import Firmware
    from shoal.build.requirements import Requirements
    from shoal.build.target import Target

__all__ = ["project", "project_files"]

NETWORK = ("model", "golden")  # files of the network, by how their names begin
FLASH = ("flash.c", "flash.h")  # files of a network that learns
KEEPING = """- What it learns is kept in flash, every `APP_SAVE_EVERY` steps, by the callbacks in `flash.c`.
"""


def project(firmware: Firmware, target: str, folder: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Write a firmware project.

    Parameters
    ----------
    firmware
        The network, and the board that it is for.
    target
        One of :data:`TARGETS`.
    folder
        Where; it comes into being, with all files or not at all.
    force
        Whether a folder that holds something is replaced.

    Returns
    -------
    The folder.

    Raises
    ------
    ConfigError
        If the toolchain cannot build for the board, or the folder holds something.
    StorageError
        If a file cannot be written; nothing is then.
    """
    place = Path(folder).absolute()
    if not force and place.exists() and not (place.is_dir() and not any(place.iterdir())):
        raise ConfigError(
            f"the folder '{place}' is there and not empty", where="folder", hint="another folder, or --force"
        )
    write(place, project_files(firmware, target))
    return place


def project_files(firmware: Firmware, target: str) -> dict[str, str]:
    """Return the text of every file of a project by its path.

    Raises
    ------
    ConfigError
        If there is no such target, or it cannot build for the board.
    """
    if target not in TARGETS:
        raise ConfigError(f"unknown target '{target}'", where="target", hint=" | ".join(TARGETS))
    chosen = TARGETS[target]
    values = {**model_values(firmware), **words(firmware), **chosen.values(firmware)}
    values["sensor_file"] = chosen.sensor
    values["how"] = rendered("how", values, only=f"{chosen.name}.md")[f"{chosen.name}.md"].strip()
    files = {"LICENSE": licence(), **runtime_files(firmware, chosen)}
    if chosen.port is not None:
        files |= chosen.port(firmware)
    for name, text in rendered("common", values).items():
        folder = "" if name == "README.md" else f"{chosen.model if name.startswith(NETWORK) else chosen.app}/"
        files[folder + name] = text
    files |= rendered(chosen.name, values)
    without = [
        *(() if firmware.learns else FLASH),
        *(() if chosen.sensor.endswith("sensor.c") else ("sensor.c",)),
    ]
    return {path: text for path, text in files.items() if path.rpartition("/")[2] not in without}


def words(firmware: Firmware) -> dict[str, str]:
    """Return what the templates of every target may use beside the model."""
    needs = requirements(firmware)
    return {
        "board": firmware.board.title,
        "board_name": firmware.board.name,
        "core": firmware.board.core,
        "and_learns": " and learns" if firmware.learns else "",
        "and_learn": " and learn" if firmware.learns else "",
        "and_load": ", with what it learnt before the power went" if firmware.learns else "",
        "and_step": ": it answers, and learns where there is a label" if firmware.learns else " and answers",
        "keeping": KEEPING if firmware.learns else "",
        "needs": needs_text(needs),
        "estimate": estimate_text(needs),
    }


def needs_text(needs: Requirements) -> str:
    """Return what a firmware needs as a table in Markdown."""
    board = needs.firmware.board
    rows = [
        ("RAM", needs.ram, needs.ram_total, board.ram_bytes),
        ("flash", needs.flash, needs.flash_total, board.flash_bytes),
    ]
    lines = ["| | bytes |", "| --- | ---: |"]
    for kind, parts, total, has in rows:
        lines += [f"| {kind}, {part} | {count:,} |" for part, count in parts.items() if count]
        if kind == "flash" and not needs.has_code:
            lines.append("| flash, code | not known for this core |")
        lines.append(f"| **{kind} in all**, of {has:,} | **{total:,}** |")
    return "\n".join(lines)


def estimate_text(needs: Requirements) -> str:
    """Return the instructions of a call in words."""
    found = needs.instructions
    if found is None:
        return "How many instructions a call takes is not known for these operations on this core."
    text = f"A prediction takes about {found.predict:,} instructions"
    if found.learn is not None:
        text += f", a learning step {found.learn:,}"
    seconds = needs.seconds(found.predict if found.learn is None else found.learn)
    if seconds is not None:
        text += (
            f": by an estimate of {needs.cycles_per_instruction:g} cycles for an instruction at "
            f"{needs.firmware.board.clock_hz / 1e6:g} MHz, {1e3 * seconds:.2g} ms for the latter"
            if found.learn is not None
            else f": about {1e3 * seconds:.2g} ms at {needs.firmware.board.clock_hz / 1e6:g} MHz and "
            f"{needs.cycles_per_instruction:g} cycles for an instruction"
        )
    return f"{text}."


def runtime_files(firmware: Firmware, target: Target) -> dict[str, str]:
    """Return what of the runtime the firmware compiles, by path in the project."""
    folder = sources()
    names = with_headers(runtime_sources(firmware))
    headers = ["shoal.h", *(["shoal_store.h"] if firmware.learns else [])]
    files = {f"{target.include}/{name}": read(folder / "include" / name) for name in headers}
    files |= {f"{target.runtime}/{name}": read(folder / "src" / name) for name in names}
    config = config_header(firmware.plan, contraction=target.pins_arithmetic)
    return files | {f"{target.runtime}/shoal_config.h": config}


def read(file: Path) -> str:
    """Return the text of a file."""
    return file.read_text(encoding="utf-8")


def write(place: Path, files: Mapping[str, str]) -> None:
    """Write all files beside the folder first, then put them in its place."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as temporary:
            fresh, old = Path(temporary) / "new", Path(temporary) / "old"
            for path, text in files.items():
                file = fresh / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8", newline="\n")
            if place.exists():
                place.replace(old)
            try:
                fresh.replace(place)
            except OSError:
                if old.exists():
                    old.replace(place)
                raise
    except OSError as error:
        raise StorageError(f"cannot write: {error.strerror}", where=str(place)) from error
