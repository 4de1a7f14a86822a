"""Zephyr: a module with the network, and an application that uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.build.target import Target, app_sources, name_in_toolchain, network_sources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.build.firmware import Firmware

__all__ = ["ZEPHYR"]

STACK = 4096  # bytes for the main thread: the runtime's calls, and what prints


def values(firmware: Firmware) -> Mapping[str, str]:
    board = firmware.board
    options = []
    if board.core.startswith("cortex") and board.chip.fpu != "none":
        options.append("CONFIG_FPU=y")
    if firmware.learns:
        options += ["CONFIG_FLASH=y", "CONFIG_FLASH_MAP=y"]
    return {
        "board_id": name_in_toolchain(board, "zephyr"),
        "macro": f"SHOAL_{firmware.name.upper()}",
        "network_sources": "\n    ".join(network_sources(firmware, "shoal/src", "model")),
        "app_files": "\n  ".join(["src/main.c", *app_sources(firmware, "src")]),
        "main_stack": str(STACK),
        "options": "\n".join(options),
    }


def command(firmware: Firmware, folder: str) -> str:
    return f"west build -b {name_in_toolchain(firmware.board, 'zephyr')} {folder}/app"


ZEPHYR = Target(
    name="zephyr",
    runtime="shoal/src",
    include="shoal/include",
    model="model",
    app="app/src",
    sensor="app/src/sensor.c",
    values=values,
    command=command,
)
