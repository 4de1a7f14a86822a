"""ESP-IDF: a component with the network, and an application that uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.build.model import BLOCK, store_blocks
from shoal.build.target import Target, app_sources, name_in_toolchain, network_sources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.build.firmware import Firmware

__all__ = ["ESP_IDF"]

APP = 1 << 20  # bytes of the partition for the application, beside the image


def values(firmware: Firmware) -> Mapping[str, str]:
    image = -(-firmware.plan.image_size >> 16) << 16
    return {
        "board_id": name_in_toolchain(firmware.board, "esp-idf"),
        "flash_mb": str(firmware.board.flash_bytes >> 20),
        "app_size": hex(APP + image),
        "store_size": hex(2 * store_blocks(firmware) * BLOCK),
        "component_sources": "\n    ".join(network_sources(firmware, "src", "model")),
        "app_files": " ".join(["main.c", *app_sources(firmware, ".")]),
    }


def command(firmware: Firmware, folder: str) -> str:
    return f"idf.py -C {folder} set-target {name_in_toolchain(firmware.board, 'esp-idf')} build flash monitor"


ESP_IDF = Target(
    name="esp-idf",
    runtime="components/network/src",
    include="components/network/include",
    model="components/network/model",
    app="main",
    sensor="main/sensor.c",
    values=values,
    command=command,
)
