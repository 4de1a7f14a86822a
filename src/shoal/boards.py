"""Well-known microcontroller boards and how much of a network fits on each."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.errors import ConfigError

__all__ = ["BOARDS", "Board", "board"]

KB = 1024
MHZ = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A board as its manufacturer describes it.

    Parameters
    ----------
    name
        Short name, as typed on a command line.
    title
        Name in prose.
    core
        Processor core, a key of :data:`shoal.learn.footprint.CORES`.
    ram_bytes
        Largest contiguous block of RAM on the chip: what one network can take at most. The firmware's own
        data and stack come off it.
    flash_bytes
        Flash for code and images.
    clock_hz
        Highest clock of the core.
    source
        The manufacturer's document that the figures come from.
    """

    name: str
    title: str
    core: str
    ram_bytes: int
    flash_bytes: int
    clock_hz: int
    source: str

    def margin(self, ram: int) -> int:
        """Return the bytes of RAM that are left when `ram` bytes are taken; below 0 if it does not fit."""
        return self.ram_bytes - ram


def _table(*rows: tuple[str, str, str, int, int, int, str]) -> dict[str, Board]:
    return {
        name: Board(
            name=name,
            title=title,
            core=core,
            ram_bytes=ram * KB,
            flash_bytes=flash * KB,
            clock_hz=clock * MHZ,
            source=source,
        )
        for name, title, core, ram, flash, clock, source in rows
    }


# RAM and flash in KB, clock in MHz; smallest RAM first.
BOARDS = _table(
    (
        "hifive1b",
        "SiFive HiFive1 Rev B",
        "rv32imac",
        16,
        4096,
        320,
        "SiFive FE310-G002 Manual v19p05; HiFive1 Rev B Getting Started Guide",
    ),
    (
        "nucleo-f103rb",
        "ST Nucleo-F103RB",
        "cortex-m3",
        20,
        128,
        72,
        "STMicroelectronics DS5319, STM32F103x8 STM32F103xB",
    ),
    (
        "nano33iot",
        "Arduino Nano 33 IoT",
        "cortex-m0+",
        32,
        256,
        48,
        "Arduino ABX00027 datasheet",
    ),
    (
        "microbit2",
        "BBC micro:bit V2",
        "cortex-m4f",
        128,
        512,
        64,
        "Micro:bit Educational Foundation, hardware page; Nordic nRF52833 Product Specification",
    ),
    (
        "nucleo-f446re",
        "ST Nucleo-F446RE",
        "cortex-m4f",
        128,
        512,
        180,
        "STMicroelectronics DS10693, STM32F446xC/E",
    ),
    (
        "nano33ble",
        "Arduino Nano 33 BLE Sense",
        "cortex-m4f",
        256,
        1024,
        64,
        "Arduino ABX00031 datasheet; Nordic nRF52840 Product Specification",
    ),
    (
        "pico",
        "Raspberry Pi Pico",
        "cortex-m0+",
        264,
        2048,
        133,
        "Raspberry Pi Pico Datasheet; RP2040 Datasheet",
    ),
    # The chip has 1 MB in several blocks: 512 KB is the largest of them (AXI SRAM).
    (
        "nucleo-h743zi",
        "ST Nucleo-H743ZI",
        "cortex-m7",
        512,
        2048,
        480,
        "STMicroelectronics DS12110, STM32H742xI/G STM32H743xI/G",
    ),
    (
        "portenta-h7",
        "Arduino Portenta H7",
        "cortex-m7",
        512,
        2048,
        480,
        "Arduino ABX00042 datasheet; STMicroelectronics DS12930, STM32H747xI/G",
    ),
    (
        "esp32c6",
        "Espressif ESP32-C6-DevKitC-1",
        "rv32imac",
        512,
        8192,
        160,
        "ESP32-C6 Series Datasheet; ESP32-C6-WROOM-1 Datasheet",
    ),
    (
        "pico2",
        "Raspberry Pi Pico 2",
        "cortex-m33",
        520,
        4096,
        150,
        "Raspberry Pi Pico 2 Datasheet; RP2350 Datasheet",
    ),
)


def board(name: str) -> Board:
    """Return the board of this name.

    Raises
    ------
    ConfigError
        If no board has it.

    Examples
    --------
    >>> board("nano33ble").ram_bytes
    262144
    """
    if name not in BOARDS:
        raise ConfigError(f"unknown board '{name}'", where="board", hint=f"one of {', '.join(BOARDS)}")
    return BOARDS[name]
