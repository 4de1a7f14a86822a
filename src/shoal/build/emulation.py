"""Compiles a project for QEMU, runs it, and compares with the host."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.build.golden import drawn_sample, drawn_target
from shoal.build.targets.qemu import TURNS, machine_of
from shoal.devices.machines import require
from shoal.errors import ShoalError
from shoal.runtime import Executor

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.build.firmware import Firmware

__all__ = ["Trial", "compiled", "emulated"]

LONGEST = 600  # seconds that a run may take


@dataclass(frozen=True, slots=True)
class Trial:
    """What a run on the emulated board showed.

    Parameters
    ----------
    core
        That ran it.
    turns
        Samples that were sensed, and learnt where the network learns.
    checksum
        CRC-32 of what learns after them; the host's is the same.
    predict, learn
        Instructions of one call, a mean over `turns`; None where the network does not learn.
    stack
        Bytes of the stack that were in use at most.
    flash, ram
        Bytes of the linked file: code, constants and initial values; variables without the stack.
    """

    core: str
    turns: int
    checksum: int
    predict: int
    learn: int | None
    stack: int
    flash: int
    ram: int


def compiled(firmware: Firmware, folder: Path) -> tuple[int, int]:
    """Compile a project for QEMU.

    Returns
    -------
    Bytes of flash and of RAM, without the stack.

    Raises
    ------
    ConfigError
        If a tool is missing.
    ShoalError
        If it cannot be compiled or linked, because it does not fit for instance.
    """
    for tool in ("make", machine_of(firmware).compiler):
        require(tool, "shoal build")
    done = call(["make", "-s"], folder)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        problem = next((line for line in lines if "overflowed" in line or "error" in line), "make failed")
        raise ShoalError(
            f"the firmware cannot be built: {problem}", where=str(folder), hint=f"make -C {folder}"
        )
    text, data, bss = map(int, done.stdout.splitlines()[-1].split()[:3])
    return text + data, data + bss


def emulated(firmware: Firmware, folder: Path) -> Trial:
    """Compile a project for QEMU and run it.

    Raises
    ------
    ConfigError
        If a tool is missing.
    ShoalError
        If it cannot be built, does not end, or computes other bits than the host.
    """
    flash, ram = compiled(firmware, folder)
    machine = machine_of(firmware)
    require(machine.emulator, "shoal build")
    done = call(["make", "-s", "run"], folder)
    lines = [line.split(" ", 1) for line in done.stdout.splitlines() if " " in line]
    starts = [value for name, value in lines if name == "start"]
    if starts != ["ok", "ok"] or not done.stdout.endswith("end\n"):
        problem = next((value for value in starts if value != "ok"), "it did not come to its end")
        raise ShoalError(f"the firmware failed: {problem}", where=str(folder), hint=f"make -C {folder} run")
    numbers = {name: int(value) for name, value in lines if value.isdigit()}
    expected = on_host(firmware)
    for name in ("checksum", "restarted"):
        if numbers[name] != expected:
            raise ShoalError(
                f"{name}: the board has the parameters 0x{numbers[name]:08x}, the host 0x{expected:08x}",
                where=str(folder),
                hint=f"make -C {folder} run",
            )
    per_call = TURNS * machine.ticks
    return Trial(
        core=machine.core,
        turns=TURNS,
        checksum=expected,
        predict=round(numbers["predicting"] / per_call),
        learn=round(numbers["learning"] / per_call) if firmware.learns else None,
        stack=numbers["stack"],
        flash=flash,
        ram=ram,
    )


def on_host(firmware: Firmware) -> int:
    """Return the checksum after the turns that the board takes."""
    executor = Executor(firmware.plan.image())
    if firmware.optimizer is not None:
        executor.set_optimizer(firmware.optimizer.phase())
        for i in range(TURNS):
            executor.learn(drawn_sample(firmware, i), drawn_target(firmware, i))
    return executor.checksum()


def call(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder."""
    try:
        return subprocess.run(  # noqa: S603 - make, which was found before
            command, cwd=folder, capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        raise ShoalError(
            f"{' '.join(command)} took more than {LONGEST} s", where=str(folder), hint="a smaller network"
        ) from None
