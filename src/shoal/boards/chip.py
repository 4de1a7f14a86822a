"""The microcontroller of a board."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.boards import check
from shoal.errors import ConfigError

__all__ = ["CORES", "Chip", "Current"]

# Processor cores, with the floating-point units that they come with.
CORES = {
    "cortex-m0+": ("none",),
    "cortex-m3": ("none",),
    "cortex-m4f": ("single",),
    "cortex-m7": ("single", "double"),
    "cortex-m33": ("none", "single"),
    "cortex-m55": ("single", "double"),
    "rv32imc": ("none",),
    "rv32imac": ("none",),
    "rv32imafc": ("single",),
    "xtensa-lx6": ("single",),
    "xtensa-lx7": ("single",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """What a chip draws while its core computes: the ground of an estimate, not a measurement of a board.

    Parameters
    ----------
    microamperes_per_mhz
        Typical supply current per clock frequency.
    volts
        Supply at which the document states it.
    condition
        What ran, from where, and how the chip was set.
    source
        The document that the figures come from.

    Examples
    --------
    >>> flash = Current(microamperes_per_mhz=52, volts=3, condition="CoreMark", source="nRF52840 PS")
    >>> round(flash.joules_per_cycle * 1e12)  # picojoules
    156
    """

    microamperes_per_mhz: float
    volts: float
    condition: str
    source: str

    def __post_init__(self) -> None:
        check.positive(self.microamperes_per_mhz, "microamperes_per_mhz", "µA/MHz")
        check.positive(self.volts, "volts", "V")
        check.text(self.condition, "condition")
        check.text(self.source, "source")

    @property
    def joules_per_cycle(self) -> float:
        """Energy of one clock cycle, in J."""
        # 1 µA/MHz is 1e-12 coulomb per cycle.
        return self.microamperes_per_mhz * 1e-12 * self.volts


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A microcontroller as its manufacturer describes it.

    Parameters
    ----------
    title
        Name in prose.
    core
        Processor core that runs the network, a key of :data:`shoal.learn.footprint.CORES`.
    fpu
        Floating-point unit of that core: ``none``, ``single`` or ``double`` precision.
    clock_hz
        Highest clock of the core.
    ram_bytes
        Largest contiguous block of RAM: what one network can take at most.
    ram_total_bytes
        All blocks of RAM together.
    source
        The document that the figures come from.
    current
        What it draws, None where the document does not say it plainly.

    Raises
    ------
    ConfigError
        If a value cannot be.
    """

    title: str
    core: str
    fpu: str
    clock_hz: int
    ram_bytes: int
    ram_total_bytes: int
    source: str
    current: Current | None = None

    def __post_init__(self) -> None:
        check.one_of(self.core, "core", CORES)
        check.one_of(self.fpu, "fpu", CORES[self.core])
        check.positive(self.clock_hz, "clock_hz", "Hz")
        check.positive(self.ram_bytes, "ram_bytes", "bytes")
        check.text(self.source, "source")
        if self.ram_total_bytes < self.ram_bytes:
            raise ConfigError(
                f"{self.ram_total_bytes} B of RAM in all, {self.ram_bytes} B in one block",
                where="ram_total_bytes",
                hint="the blocks together are at least the largest",
            )
