"""PlatformIO, with the Arduino framework."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.build.target import Target, name_in_toolchain
from shoal.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.build.firmware import Firmware

__all__ = ["PLATFORMIO"]

# The platform that has the Arduino framework for a chip, by how the chip's name begins.
PLATFORMS = {
    "Espressif ESP32": "espressif32",
    "Microchip SAM D": "atmelsam",
    "NXP i.MX RT1062": "teensy",
    "Nordic nRF5": "nordicnrf52",
    "Raspberry Pi RP2040": "raspberrypi",
    "Renesas RA4M1": "renesas-ra",
    "ST STM32": "ststm32",
}


def values(firmware: Firmware) -> Mapping[str, str]:
    board = firmware.board
    board_id = name_in_toolchain(board, "platformio")
    for chip, platform in PLATFORMS.items():
        if board.chip.title.startswith(chip):
            return {"board_id": board_id, "platform": platform, "env": board.name}
    raise ConfigError(
        f"PlatformIO has no Arduino framework for the {board.chip.title}",
        where="target",
        hint="--to zephyr | --to cmake",
    )


def command(firmware: Firmware, folder: str) -> str:
    del firmware
    return f"pio run -d {folder}"


PLATFORMIO = Target(
    name="platformio",
    runtime="lib/network/src",
    include="lib/network/src",
    model="lib/network/src",
    app="src",
    sensor="src/main.cpp",
    values=values,
    command=command,
)
