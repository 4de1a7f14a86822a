"""Firmware for the emulated boards: compiled once for each core, linked for each image."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.devices.machines import require, runtime_folder
from shoal.errors import ConfigError, ImageError, ShoalError, StorageError

if TYPE_CHECKING:
    from shoal.devices.machines import Machine, Region

__all__ = ["Firmware", "Layout", "build"]

KEPT = 4  # compilations for a core, of different versions of the sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Bytes of memory that firmware is linked for; None for the machine's usual size.

    Parameters
    ----------
    ram, flash
        Of the board.
    stack
        Of RAM, for the stack; 512 to 65,536.
    frame
        Of RAM, for a request, and as many for an answer; 192 to 65,536. Longer samples go in pieces.

    Raises
    ------
    ConfigError
        If stack or frame are outside their range.
    """

    ram: int | None = None
    flash: int | None = None
    stack: int = 4096
    frame: int = 2048

    def __post_init__(self) -> None:
        for name, least in (("stack", 512), ("frame", 192)):
            value = getattr(self, name)
            if not least <= value <= 1 << 16:
                raise ConfigError(
                    f"{name} is {value}", where="Layout", hint=f"{name}: {least} to {1 << 16:,} B"
                )


@dataclass(frozen=True, slots=True)
class Firmware:
    """A linked program.

    Attributes
    ----------
    path
        The ELF file.
    flash
        Bytes of flash: code, constants and the image.
    ram
        Bytes of RAM that are not the network's: stack, frames and variables.
    """

    path: Path
    flash: int
    ram: int


def build(
    machine: Machine, folder: Path, image: bytes = b"", need: int = 0, layout: Layout | None = None
) -> Firmware:
    """Link firmware for one emulated board.

    Parameters
    ----------
    machine
        The board.
    folder
        Where to write it.
    image
        Of the network that it opens by itself; without one it waits for an image on the line.
    need
        Bytes of RAM that the network takes.
    layout
        Sizes of the memories.

    Raises
    ------
    ImageError
        If image and code do not fit in the flash, or the network not in the RAM.
    ConfigError
        If the compiler is not installed, or the emulated board has not that much memory.
    """
    layout = layout or Layout()
    flash = checked_size(machine, "flash", layout.flash, machine.flash)
    ram = checked_size(machine, "ram", layout.ram, machine.ram)
    objects = [str(file) for file in sorted(compiled(machine).glob("*.o"))]
    ports = runtime_folder() / "ports"
    if image:
        (folder / "image.shoal").write_bytes(image)
        objects.append(str(ports / "qemu" / "image.S"))
    symbols = {
        "flash_at": machine.flash.at,
        "flash_size": flash,
        "ram_at": machine.ram.at,
        "ram_size": ram,
        "stack_size": -(-layout.stack // 16) * 16,
        "frames_size": 2 * layout.frame,
        "memory_needed": need,
    }
    path = folder / "firmware.elf"
    command = [require(machine.compiler, machine.core), *machine.flags, *machine.link]
    command += [f"-Wl,--defsym={name}={value}" for name, value in symbols.items()]
    command += [f"-Wa,-I{folder}", "-T", str(ports / "qemu" / "firmware.ld"), *objects, "-o", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise link_error(done.stderr, machine, flash, ram, need)
    return Firmware(path, *sizes(machine, path))


def checked_size(machine: Machine, name: str, wanted: int | None, region: Region) -> int:
    """Return a size that the emulated board has."""
    size = region.size if wanted is None else wanted
    if not 0 < size <= region.limit:
        where = f"{machine.core} on {machine.name}"
        raise ConfigError(f"{size:,} B of {name}", where=where, hint=f"at most {region.limit:,} B")
    return size


def link_error(text: str, machine: Machine, flash: int, ram: int, need: int) -> ShoalError:
    """Return what the linker's complaint means."""
    where = f"{machine.core} on {machine.name}"
    if match := re.search(r"region `(FLASH|RAM)' overflowed by (\d+) bytes", text):
        size = {"FLASH": flash, "RAM": ram}[match[1]]
        what = f"the firmware is {int(match[2]):,} B too large for {size:,} B of {match[1].lower()}"
        return ImageError(what, where=where, hint="a smaller network, or a board with more memory")
    if "does not fit in the RAM" in text:
        return ImageError(
            f"the network takes {need:,} B, which {ram:,} B of RAM have not left beside stack and frames",
            where=where,
            hint="network.train_last(1), a smaller network, or a board with more memory",
        )
    return ShoalError(f"the firmware does not link: {text.strip()[-400:]}", where=where)


def sizes(machine: Machine, path: Path) -> tuple[int, int]:
    """Return the bytes of flash and RAM that a linked program takes."""
    tool = machine.compiler.replace("gcc", "size")
    done = subprocess.run([tool, str(path)], capture_output=True, text=True, check=True)  # noqa: S603
    text, data, bss = (int(word) for word in done.stdout.splitlines()[1].split()[:3])
    return text + data, data + bss


def compiled(machine: Machine) -> Path:
    """Return the folder with the object files for a core; compiles what is not in the cache."""
    runtime = runtime_folder()
    compiler = require(machine.compiler, machine.core)
    sources = [file for file in sorted((runtime / "src").glob("*.c")) if file.stem != "cohort"]
    sources += sorted((runtime / "ports" / "serial").glob("*.c"))
    sources += [
        runtime / "ports" / "qemu" / name
        for name in ("main.c", "start.c", f"reset_{machine.architecture}.c", f"{machine.port}.c")
    ]
    headers = [
        file
        for part in ("include", "src", "ports/serial", "ports/qemu")
        for file in sorted((runtime / part).glob("*.h"))
    ]
    command = [
        compiler,
        *machine.flags,
        f"-DUART={machine.uart:#x}",
        f"-DCOUNTER={machine.counter:#x}",
        f'-DTITLE="{machine.core} on {machine.name}"',
        f"-I{runtime / 'include'}",
        f"-I{runtime / 'ports' / 'serial'}",
    ]
    version = subprocess.run([compiler, "--version"], capture_output=True, check=True).stdout  # noqa: S603
    key = hashlib.sha256(version + " ".join(command).encode())
    for file in (*sources, *headers):
        key.update(file.name.encode() + b"\0" + file.read_bytes())
    folder = cache() / f"{machine.core}-{key.hexdigest()[:16]}"
    if not folder.is_dir():
        compile_into(folder, command, sources)
        forget(folder.parent, machine.core)
    return folder


def compile_into(folder: Path, command: list[str], sources: list[Path]) -> None:
    """Compile all sources; the folder appears whole or not at all."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        new = Path(temporary) / "new"
        new.mkdir()

        def one(source: Path) -> str:
            done = subprocess.run(  # noqa: S603
                [*command, "-c", str(source), "-o", str(new / f"{source.stem}.o")],
                capture_output=True,
                text=True,
                check=False,
            )
            return done.stderr if done.returncode != 0 else ""

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            problems = [problem for problem in pool.map(one, sources) if problem]
        if problems:
            text = problems[0].strip()[-400:]
            raise ShoalError(f"the firmware does not compile: {text}", where=folder.name)
        try:
            new.rename(folder)
        except OSError:
            # Another process was faster: its files are the same.
            if not folder.is_dir():
                raise


def forget(folder: Path, core: str) -> None:
    """Remove what was compiled for a core long ago."""
    found = sorted(folder.glob(f"{core}-*"), key=lambda entry: entry.stat().st_mtime)
    for old in found[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def cache() -> Path:
    """Return the folder for compiled firmware: shoal/firmware in XDG_CACHE_HOME, or in ~/.cache."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(root) / "shoal" / "firmware"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        hint = "export XDG_CACHE_HOME=/path/to/cache"
        raise StorageError(f"no cache for firmware: {error}", where=str(folder), hint=hint) from None
    return folder
