"""What a firmware needs: memory to the byte, code as measured, instructions as fitted, time as estimated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.build.code import code, deepest_stack
from shoal.build.cost import CYCLES, Instructions, instructions
from shoal.build.golden import SAMPLES
from shoal.learn.footprint import footprint

if TYPE_CHECKING:
    from shoal.build.firmware import Firmware

__all__ = ["Requirements", "requirements"]

APPLICATION = 8  # bytes of variables of the application: a pointer and a counter
VALUE = {"float32": 4, "int8": 1, "uint8": 1, "int16": 2, "int32": 4}
OPTIMIZER = 24  # bytes of struct shoal_optimizer


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a firmware needs of its board.

    Parameters
    ----------
    firmware
        Which one.
    ram
        Bytes by part. All but the stack are exact; the stack is the deepest call of the runtime and the
        application, interrupts and the board's own software apart.
    flash
        Bytes by part: the image and the golden vectors exact, the code as measured with -O2. Without the code
        where the core was not measured.
    instructions
        Of a call, from a model fitted to an emulated core; None where the core has none.
    """

    firmware: Firmware
    ram: dict[str, int]
    flash: dict[str, int]
    instructions: Instructions | None

    @property
    def ram_total(self) -> int:
        """Bytes of RAM in all."""
        return sum(self.ram.values())

    @property
    def flash_total(self) -> int:
        """Bytes of flash in all."""
        return sum(self.flash.values())

    @property
    def has_code(self) -> bool:
        """Whether the code was measured for the core, and is part of the flash."""
        return "operations" in self.flash

    @property
    def fits(self) -> bool:
        """Whether the board has as much; its own software is not counted."""
        board = self.firmware.board
        return self.ram_total <= board.ram_bytes and self.flash_total <= board.flash_bytes

    @property
    def cycles_per_instruction(self) -> float | None:
        """What time and energy assume of the core."""
        return CYCLES.get(self.firmware.board.core)

    def seconds(self, count: int) -> float | None:
        """Return an estimate of the time that instructions take; None where the core is not known."""
        if self.cycles_per_instruction is None:
            return None
        return count * self.cycles_per_instruction / self.firmware.board.clock_hz

    def joules(self, count: int) -> float | None:
        """Return an estimate of the energy of instructions; None where the chip's current is not known."""
        current = self.firmware.board.chip.current
        if current is None or self.cycles_per_instruction is None:
            return None
        return count * self.cycles_per_instruction * current.joules_per_cycle


def requirements(firmware: Firmware) -> Requirements:
    """Return what a firmware needs of its board.

    Examples
    --------
    >>> from shoal import boards, build, nn
    >>> net = nn.Network([nn.Dense(2)], input_shape=(3,))
    >>> needs = requirements(build.Firmware("tiny", net, boards.board("nano33ble")))
    >>> needs.ram["activations"], needs.flash["image"], needs.fits
    (20, 212, True)
    """
    plan = firmware.plan
    parts = footprint(plan, firmware.board.core).parts
    measured = code(firmware)
    answer = VALUE[plan.output_type] * firmware.outputs
    ram = {
        "weights": parts["parameters"],
        "optimizer": parts["optimizer"] + parts["gradient"] + parts["anchor"],
        "statistics": parts["statistics"],
        "activations": parts["arena"],
        "record": parts["record"],
        "application": answer + 4 * firmware.targets + (APPLICATION if firmware.learns else APPLICATION // 2),
        "stack": deepest_stack() if measured is None else measured.stack,
    }
    flash = {"image": plan.image_size, "golden": SAMPLES * answer + (OPTIMIZER if firmware.learns else 0)}
    if measured is not None:
        flash |= {
            "operations": measured.operations,
            "runtime": measured.runtime,
            "library": measured.library,
            "application": measured.application,
        }
    return Requirements(firmware, ram, flash, instructions(firmware))
