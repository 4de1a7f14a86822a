"""QEMU: a board with the same core, emulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.build.model import BLOCK, store_blocks
from shoal.build.sources import sources
from shoal.build.target import Target, app_sources, network_sources
from shoal.devices.machines import Machine, cores, machine
from shoal.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.build.firmware import Firmware

__all__ = ["QEMU", "TURNS", "machine_of"]

TURNS = 8  # of the application, and calls that are counted

STACK = 4096


def machine_of(firmware: Firmware) -> Machine:
    """Return the emulated board with the core of a firmware's board.

    Raises
    ------
    ConfigError
        If no such core can be emulated.
    """
    core = firmware.board.core
    if core not in cores():
        known = [name for name in firmware.board.targets if name != "platformio"]
        raise ConfigError(
            f"no cross compiler and no emulated board for {core}, which '{firmware.board.name}' has",
            where="target",
            hint=" | ".join(f"--to {name}" for name in known) or "another board",
        )
    return machine(core)


def values(firmware: Firmware) -> Mapping[str, str]:
    found = machine_of(firmware)
    flash = min(firmware.board.flash_bytes, found.flash.limit)
    if firmware.learns:
        flash -= 2 * store_blocks(firmware) * BLOCK
    symbols = {
        "flash_at": found.flash.at,
        "flash_size": flash,
        "ram_at": found.ram.at,
        "ram_size": min(firmware.board.ram_bytes, found.ram.limit),
        "stack_size": STACK,
        "memory_needed": 0,
        "frames_size": 0,
    }
    paths = [*network_sources(firmware, "shoal/src", "src"), *app_sources(firmware, "src"), "src/main.c"]
    return {
        "sources": " \\\n    ".join(paths),
        "machine": found.name,
        "compiler": found.compiler,
        "emulator": found.emulator,
        "flags": " ".join(found.flags),
        "link": " ".join(found.link),
        "options": " ".join(found.options),
        "port": found.port,
        "architecture": found.architecture,
        "uart": hex(found.uart),
        "counter": hex(found.counter),
        "icount": str(found.icount),
        "store_at": hex(found.flash.at + flash),
        "symbols": " ".join(f"-Wl,--defsym={name}={value:#x}" for name, value in symbols.items()),
        "turns": str(TURNS),
        "ticks": f"{found.ticks:g}",
    }


def port_files(firmware: Firmware) -> Mapping[str, str]:
    found = machine_of(firmware)
    ports = sources() / "ports"
    names = ("board.h", "start.c", f"reset_{found.architecture}.c", f"{found.port}.c", "firmware.ld")
    files = {f"port/{name}": ports / "qemu" / name for name in names}
    files["port/shoal_serve.h"] = ports / "serial" / "shoal_serve.h"
    return {path: file.read_text(encoding="utf-8") for path, file in files.items()}


def command(firmware: Firmware, folder: str) -> str:
    del firmware
    return f"make -C {folder} run"


QEMU = Target(
    name="qemu",
    runtime="shoal/src",
    include="shoal/include",
    model="src",
    app="src",
    sensor="src/sensor.c",
    values=values,
    command=command,
    port=port_files,
)
