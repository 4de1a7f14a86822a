"""What differs between the toolchains that a project is made for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.build.selection import source_files
from shoal.errors import ConfigError

if TYPE_CHECKING:
    from shoal.boards import Board
    from shoal.build.firmware import Firmware

__all__ = ["Target", "app_sources", "name_in_toolchain", "network_sources", "runtime_sources"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A toolchain, and where its projects keep what.

    Parameters
    ----------
    name
        As typed on a command line, and of its folder of templates.
    runtime
        Folder for the runtime's sources.
    include
        Folder for its public headers.
    model
        Folder for the network and the golden vectors.
    app
        Folder for the application.
    values
        What only its templates need; refuses a board that it cannot build for.
    command
        What to type next, for a project in a folder.
    pins_arithmetic
        Whether the sources themselves have to forbid contraction, because such a project can give no flags.
    sensor
        The file where samples come from: ``sensor.c`` in the application, or one of its own templates.
    port
        More files of the runtime, by their path in the project.
    """

    name: str
    runtime: str
    include: str
    model: str
    app: str
    sensor: str
    values: Callable[[Firmware], Mapping[str, str]]
    command: Callable[[Firmware, str], str]
    pins_arithmetic: bool = False
    port: Callable[[Firmware], Mapping[str, str]] | None = None


def runtime_sources(firmware: Firmware) -> list[str]:
    """Return the files of ``runtime/src`` that a firmware compiles."""
    return [*source_files(firmware.plan), *(["store.c"] if firmware.learns else [])]


def network_sources(firmware: Firmware, runtime: str, model: str) -> list[str]:
    """Return the paths of the C files of runtime and network, seen from where these two folders are."""
    paths = [f"{runtime}/{name}" for name in runtime_sources(firmware)]
    return [*paths, f"{model}/model.c", f"{model}/golden.c"]


def app_sources(firmware: Firmware, folder: str) -> list[str]:
    """Return the paths of the C files of the application, its main apart."""
    names = ("app.c", "sensor.c", *(["flash.c"] if firmware.learns else []))
    return [f"{folder}/{name}".removeprefix("./") for name in names]


def name_in_toolchain(board: Board, toolchain: str) -> str:
    """Return what a toolchain calls a board.

    Raises
    ------
    ConfigError
        If it does not know the board, or its name there is not known.
    """
    if toolchain not in board.targets:
        known = [name for name in board.targets if name != toolchain]
        raise ConfigError(
            f"what {toolchain} calls the board '{board.name}' is not known",
            where="target",
            hint=" | ".join(f"--to {name}" for name in (*known, "cmake")),
        )
    return board.targets[toolchain]
