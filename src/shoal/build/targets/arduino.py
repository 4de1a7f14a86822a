"""Arduino: a library with an example sketch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.build.target import Target, name_in_toolchain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.build.firmware import Firmware

__all__ = ["ARDUINO"]


def values(firmware: Firmware) -> Mapping[str, str]:
    fqbn = name_in_toolchain(firmware.board, "arduino")
    return {"fqbn": fqbn, "architectures": fqbn.split(":")[1], "macro": firmware.name.upper()}


def command(firmware: Firmware, folder: str) -> str:
    fqbn = name_in_toolchain(firmware.board, "arduino")
    return f"arduino-cli compile --fqbn {fqbn} --library {folder} {folder}/examples/Learn"


ARDUINO = Target(
    name="arduino",
    # A library has one folder on the path of headers, for all of its files.
    runtime="src",
    include="src",
    model="src",
    app="src",
    sensor="examples/Learn/Learn.ino",
    values=values,
    command=command,
    pins_arithmetic=True,
)
