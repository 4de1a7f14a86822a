"""CMake: a library for any board, and a program for this computer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.build.target import Target, app_sources, network_sources
from shoal.build.targets.qemu import machine_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.build.firmware import Firmware

__all__ = ["CMAKE"]


def values(firmware: Firmware) -> Mapping[str, str]:
    found = machine_of(firmware)
    paths = [*network_sources(firmware, "shoal/src", "src"), *app_sources(firmware, "src")]
    return {
        "compiler": found.compiler,
        "flags": " ".join(found.flags),
        "library_sources": "\n    ".join(paths),
    }


def command(firmware: Firmware, folder: str) -> str:
    build = f"{folder}/build"
    return f"cmake -S {folder} -B {build} && cmake --build {build} && {build}/{firmware.name}_here"


CMAKE = Target(
    name="cmake",
    runtime="shoal/src",
    include="shoal/include",
    model="src",
    app="src",
    sensor="src/sensor.c",
    values=values,
    command=command,
)
