"""Emulated boards whose firmware has the operations of one network alone, as `shoal build` makes it."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.build import config_header, source_files, sources
from shoal.build.code import relevant
from shoal.build.selection import masks
from shoal.devices.emulator import PATIENCE, Emulator
from shoal.devices.firmware import Firmware, compiled
from shoal.devices.link import Link
from shoal.devices.machines import require
from shoal.devices.remote import RemoteExecutor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shoal.devices.machines import Machine
    from shoal.nn import Plan

FRAME = 16_384
STACK = 4096


class InPlace(RemoteExecutor):
    """A board whose samples are written where the network reads them, as those of an application are."""

    def _batch(self, target: int, answer: int, head: int = 0) -> int:
        del target, answer, head
        return 0  # that are sent with a request


@contextmanager
def board(machine: Machine, plan: Plan, folder: Path) -> Iterator[InPlace]:
    """Start a board that waits for the image of a plan; objects are kept in a folder."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "firmware.elf"
        link(machine, objects(machine, plan, folder), path)
        firmware = Firmware(path, 0, 2 * FRAME + STACK)
        emulator = Emulator(machine, firmware)
    try:
        yield InPlace(Link(emulator, emulator.title, patience=PATIENCE), firmware)
    finally:
        emulator.close()


def objects(machine: Machine, plan: Plan, folder: Path) -> list[Path]:
    """Return the objects of a firmware; a file is compiled once for all plans that make no difference to it.

    What opens images is that of every operation: it takes no part in a call.
    """
    runtime, config, found = sources(), config_header(plan), []
    folder.mkdir(parents=True, exist_ok=True)
    mine = set(source_files(plan)) - {"image.c"}
    for whole in sorted(compiled(machine).glob("*.o")):
        name = f"{whole.stem}.c"
        if name not in mine:
            found.append(whole)
            continue
        decides = hashlib.sha256(repr(relevant(name, masks(plan))).encode()).hexdigest()[:16]
        found.append(folder / f"{whole.stem}-{decides}.o")
        if not found[-1].exists():
            with tempfile.TemporaryDirectory() as own:
                (Path(own) / "shoal_config.h").write_text(config, encoding="utf-8")
                source = str(runtime / "src" / name)
                options = [f"-I{own}", f"-I{runtime / 'include'}", "-c", source, "-o", str(found[-1])]
                subprocess.run([machine.compiler, *machine.flags, *options], check=True)
    return found


def link(machine: Machine, found: list[Path], path: Path) -> None:
    """Link objects for all memory that the emulated board has."""
    symbols = {
        "flash_at": machine.flash.at,
        "flash_size": machine.flash.limit,
        "ram_at": machine.ram.at,
        "ram_size": machine.ram.limit,
        "stack_size": STACK,
        "frames_size": 2 * FRAME,
        "memory_needed": 0,
    }
    command = [require(machine.compiler, machine.core), *machine.flags, *machine.link]
    command += [f"-Wl,--defsym={name}={value}" for name, value in symbols.items()]
    command += ["-T", str(sources() / "ports" / "qemu" / "firmware.ld"), *map(str, found), "-o", str(path)]
    subprocess.run(command, check=True)
