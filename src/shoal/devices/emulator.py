"""Boards emulated by QEMU: a process whose serial line is a pair of pipes."""

from __future__ import annotations

import os
import select
import subprocess
import tempfile
import weakref
from pathlib import Path
from typing import IO, TYPE_CHECKING

from shoal.devices.device import Device
from shoal.devices.firmware import Firmware, Layout, build
from shoal.devices.link import Link
from shoal.devices.machines import machine, require
from shoal.devices.remote import RemoteExecutor
from shoal.errors import DeviceError

if TYPE_CHECKING:
    from shoal.devices.machines import Machine
    from shoal.learn import Optimizer
    from shoal.nn import Network

__all__ = ["Emulator", "boot", "emulate"]

START = 30.0  # seconds until a board must have started
PATIENCE = 120.0  # and have answered: it may compute for long, and a pipe loses nothing


class Emulator:
    """A board that runs in QEMU, as a stream of bytes.

    Parameters
    ----------
    machine
        Which board.
    firmware
        What it runs.

    Raises
    ------
    ConfigError
        If QEMU is not installed.
    DeviceError
        If the board does not start.
    """

    def __init__(self, machine: Machine, firmware: Firmware) -> None:
        self.title = f"{machine.core} on {machine.name}"
        self.firmware = firmware
        command = [require(machine.emulator, machine.core), "-M", machine.name, *machine.options]
        command += ["-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot"]
        command += ["-icount", f"shift={machine.icount}", "-kernel", str(firmware.path)]
        self._messages: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._messages, bufsize=0
        )
        assert self._process.stdin is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._end = weakref.finalize(self, end, self._process, self._messages)
        self._poll = select.poll()
        self._poll.register(self._from, select.POLLIN)
        try:
            # Bytes that arrive before the UART is on would wait for a second: the board speaks first.
            if not self.read(START):
                raise DeviceError(f"the board is silent after {START:g} s", where=self.title)
        except BaseException:
            self.close()
            raise

    def write(self, data: bytes) -> None:
        """Send all bytes."""
        try:
            while data:
                data = data[os.write(self._to, data) :]
        except OSError:
            raise self._ended() from None

    def read(self, seconds: float) -> bytes:
        """Return the bytes that came, after at most this time; none means that none came."""
        if not self._end.alive:
            raise self._ended()
        if not self._poll.poll(1000 * seconds):
            return b""
        data = os.read(self._from, 1 << 16)
        if not data:
            raise self._ended()
        return data

    def close(self) -> None:
        """End the process."""
        self._end()
        self._to = self._from = -1

    def _ended(self) -> DeviceError:
        if not self._end.alive:
            return DeviceError("the connection is closed", where=self.title)
        code = self._process.wait(10)
        self._messages.seek(0)
        said = self._messages.read().decode(errors="replace").strip()
        return DeviceError(
            f"the emulated board has ended with code {code}" + (f": {said[-300:]}" if said else ""),
            where=self.title,
            hint="a fault ends it, for instance a stack that grew out of the RAM: a larger stack",
        )


def end(process: subprocess.Popen[bytes], messages: IO[bytes]) -> None:
    """End a process and its files."""
    process.kill()
    process.wait()
    for file in (process.stdin, process.stdout, messages):
        if file is not None:
            file.close()


def boot(core: str, image: bytes = b"", need: int = 0, layout: Layout | None = None) -> RemoteExecutor:
    """Start an emulated board.

    Parameters
    ----------
    core
        Of the board, one of :func:`shoal.devices.cores`.
    image
        Built into the flash and opened at the start; without it the board waits for one.
    need
        Bytes of RAM that the image's network takes.
    layout
        Sizes of the memories.

    Returns
    -------
    RemoteExecutor
        The board; closing its link ends the process.

    Raises
    ------
    ConfigError
        If there is no such core, or compiler or QEMU are not installed.
    ImageError
        If the network does not fit.
    DeviceError
        If the board does not start.
    """
    chosen = machine(core)
    require(chosen.emulator, core)
    with tempfile.TemporaryDirectory(prefix="shoal-") as folder:
        emulator = Emulator(chosen, build(chosen, Path(folder), image, need, layout))
    try:
        return RemoteExecutor(Link(emulator, emulator.title, patience=PATIENCE), emulator.firmware)
    except BaseException:
        emulator.close()
        raise


def emulate(
    network: Network,
    core: str = "cortex-m4f",
    optimizer: Optimizer | None = None,
    *,
    batch: int = 1,
    layout: Layout | None = None,
) -> Device:
    """Start an emulated board with a network in its flash.

    The firmware is compiled with the cross compiler when a core is used for the first time, and kept in the
    cache folder (``XDG_CACHE_HOME`` or ``~/.cache``).

    Parameters
    ----------
    network, optimizer, batch
        As for :class:`shoal.learn.Learner`.
    core
        Of the board, one of :func:`shoal.devices.cores`.
    layout
        Sizes of the memories; 256 KB of RAM and 1 MB of flash (512 KB for the Cortex-M55) if not given. The
        linker refuses what does not fit.

    Returns
    -------
    Device
        A context manager: the board ends with it.

    Raises
    ------
    ConfigError
        If there is no such core, or compiler or QEMU are not installed.
    ImageError
        If the network does not fit.
    DeviceError
        If the board does not start.
    """
    return Device(
        network,
        lambda image, need: boot(core, image, need or 0, layout),
        optimizer,
        batch=batch,
        core=core,
        ticks=machine(core).ticks,
    )
