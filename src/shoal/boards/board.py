"""A board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shoal.boards import check
from shoal.boards.chip import Chip
from shoal.boards.sensor import Sensor
from shoal.errors import ConfigError

__all__ = ["TARGETS", "Board"]

# The toolchains that know boards by a name of their own, and what that name is.
TARGETS = {
    "arduino": "fully qualified board name",
    "platformio": "board id",
    "zephyr": "board target",
    "esp-idf": "target",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A board as its manufacturer describes it.

    Parameters
    ----------
    name
        Short name, as typed on a command line.
    title
        Name in prose.
    chip
        Its microcontroller.
    flash_bytes
        Flash for code and images: that of the chip, or the external one where the chip executes from it.
    source
        The document that the figures and the list of sensors come from.
    external_ram_bytes
        RAM outside the chip; slower, and not part of what the chip has.
    sensors
        What it can observe by itself.
    targets
        Name of the board in a toolchain, by key of ``TARGETS``. Only those that are certain.

    Raises
    ------
    ConfigError
        If a value cannot be.
    """

    name: str
    title: str
    chip: Chip
    flash_bytes: int
    source: str
    external_ram_bytes: int = 0
    sensors: tuple[Sensor, ...] = ()
    targets: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        check.positive(self.flash_bytes, "flash_bytes", "bytes")
        check.text(self.source, "source")
        if self.external_ram_bytes < 0:
            raise ConfigError(
                f"external_ram_bytes is {self.external_ram_bytes}",
                where="external_ram_bytes",
                hint="0 where there is none",
            )
        for target, name in self.targets.items():
            check.one_of(target, "targets", TARGETS)
            check.text(name, "targets")

    @property
    def core(self) -> str:
        """Processor core, a key of :data:`shoal.learn.footprint.CORES`."""
        return self.chip.core

    @property
    def clock_hz(self) -> int:
        """Highest clock of the core."""
        return self.chip.clock_hz

    @property
    def ram_bytes(self) -> int:
        """Largest contiguous block of RAM on the chip. The firmware's own data and stack come off it."""
        return self.chip.ram_bytes

    @property
    def observes(self) -> tuple[str, ...]:
        """The properties that its sensors observe, each once, in alphabetical order."""
        return tuple(sorted({sensor.observes for sensor in self.sensors}))

    def margin(self, ram: int) -> int:
        """Return the bytes of RAM that are left when `ram` bytes are taken; below 0 if it does not fit."""
        return self.ram_bytes - ram
