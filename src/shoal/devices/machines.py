"""The emulated boards and how firmware for them is compiled: the tables beside the runtime's ports."""

from __future__ import annotations

import functools
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from shoal.errors import ConfigError, ShoalError

__all__ = ["PACKAGES", "Machine", "cores", "machine", "require", "runtime_folder"]

# What to install for each tool on Debian and Ubuntu.
PACKAGES = {
    "arm-none-eabi-gcc": "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
    "qemu-system-arm": "qemu-system-arm",
    "qemu-system-riscv32": "qemu-system-misc",
}


@dataclass(frozen=True, slots=True)
class Region:
    """A block of memory: its address, its bytes unless others are asked for, and the most it can have."""

    at: int
    size: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One core, its compiler, and the machine of QEMU that has it.

    Parameters
    ----------
    core
        Name of the processor core.
    compiler
        Command of the cross compiler.
    flags
        Of the compiler for this core, those for every core included.
    link
        More flags where firmware is linked.
    emulator
        Command of QEMU.
    name
        Of QEMU's machine.
    options
        More of QEMU's options.
    port
        Source file with the board's UART and counter.
    flash, ram
        Where each is, and its size.
    uart, counter
        Addresses.
    icount
        An instruction takes two to the power of this nanoseconds of emulated time.
    ticks
        Of the counter in one instruction.
    """

    core: str
    compiler: str
    flags: tuple[str, ...]
    link: tuple[str, ...]
    emulator: str
    name: str
    options: tuple[str, ...]
    port: str
    flash: Region
    ram: Region
    uart: int
    counter: int
    icount: int
    ticks: float

    @property
    def architecture(self) -> str:
        """``"arm"`` or ``"riscv"``."""
        return "arm" if self.core.startswith("cortex") else "riscv"


def runtime_folder() -> Path:
    """Return the folder with the C sources: of the checkout, else of the installed package."""
    package = sys.modules["shoal"].__path__
    folders = [Path(folder).parents[1] / "runtime" for folder in package]
    folders += [Path(folder) / "_runtime" for folder in package]
    for folder in folders:
        if (folder / "ports" / "cores.txt").exists():
            return folder
    raise ShoalError(
        "the C sources of the runtime are not there",
        where=", ".join(map(str, folders)),
        hint="pip install --force-reinstall shoal, or use a checkout",
    )


def rows(file: Path) -> dict[str, list[str]]:
    """Return the words of each line of a table by its first one."""
    lines = file.read_text(encoding="utf-8").splitlines()
    found = [line.split() for line in lines if line and not line.startswith("#")]
    return {words[0]: words[1:] for words in found}


def region(text: str) -> Region:
    """Read a block of memory, written as 0x20000000+256K/4096K."""
    at, size, limit = text.replace("+", "/").replace("K", "").split("/")
    return Region(int(at, 16), 1024 * int(size), 1024 * int(limit))


@functools.cache
def machines() -> dict[str, Machine]:
    """Return every emulated board by its core."""
    ports = runtime_folder() / "ports"
    builds = rows(ports / "cores.txt")
    found = {}
    for core, words in rows(ports / "qemu" / "machines.txt").items():
        emulator, name, options, port, flash, ram, uart, counter, icount, ticks = words
        compiler, *flags = builds[core]
        found[core] = Machine(
            core=core,
            compiler=compiler,
            flags=(*builds["all"][1:], *flags),
            link=tuple(builds["link"][1:]),
            emulator=emulator,
            name=name,
            options=tuple(options.split(";")) if options != "-" else (),
            port=port,
            flash=region(flash),
            ram=region(ram),
            uart=int(uart, 16),
            counter=int(counter, 16),
            icount=int(icount),
            ticks=float(ticks),
        )
    return found


def cores() -> list[str]:
    """Return the cores that can be emulated.

    Examples
    --------
    >>> "cortex-m4f" in cores()
    True
    """
    return list(machines())


def machine(core: str) -> Machine:
    """Return the emulated board with this core.

    Raises
    ------
    ConfigError
        If there is none.
    """
    if core not in machines():
        raise ConfigError(
            f"no emulated board with core '{core}'", where="core", hint=f"one of {', '.join(cores())}"
        )
    return machines()[core]


def require(tool: str, where: str) -> str:
    """Return the path of a tool.

    Raises
    ------
    ConfigError
        If it is not installed.
    """
    path = shutil.which(tool)
    if path is None:
        hint = f"sudo apt-get install {PACKAGES.get(tool, tool)} (Debian, Ubuntu)"
        raise ConfigError(f"{tool} is not installed", where=where, hint=hint)
    return path
