"""The toolchains, one file each."""

from __future__ import annotations

from shoal.build.targets.arduino import ARDUINO
from shoal.build.targets.cmake import CMAKE
from shoal.build.targets.esp_idf import ESP_IDF
from shoal.build.targets.platformio import PLATFORMIO
from shoal.build.targets.qemu import QEMU
from shoal.build.targets.zephyr import ZEPHYR

__all__ = ["TARGETS"]

# By the name that the command line knows.
TARGETS = {target.name: target for target in (ARDUINO, CMAKE, ESP_IDF, PLATFORMIO, QEMU, ZEPHYR)}
