"""The runtime's C sources: in a checkout, or as they come with an installed package."""

from __future__ import annotations

import importlib.metadata
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.devices.machines import runtime_folder
from shoal.errors import ShoalError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["licence", "sources", "with_headers"]

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def sources() -> Path:
    """Return the folder with the runtime's ``include``, ``src`` and ``ports``.

    Raises
    ------
    ShoalError
        If neither the checkout nor the installed package has it.

    Examples
    --------
    >>> (sources() / "include" / "shoal.h").exists()
    True
    """
    return runtime_folder()


def with_headers(files: Iterable[str]) -> tuple[str, ...]:
    """Return files of ``runtime/src`` and the headers there that they include, directly or not.

    Examples
    --------
    >>> with_headers(["state.c"])
    ('state.c', 'network.h', 'real.h')
    """
    folder = sources() / "src"
    found: dict[str, None] = dict.fromkeys(files)
    for name in (waiting := list(found)):
        for header in INCLUDE.findall((folder / name).read_text(encoding="utf-8")):
            if header not in found and (folder / header).exists():
                found[header] = None
                waiting.append(header)
    return tuple(sorted(found, key=lambda name: (name.endswith(".h"), list(found).index(name))))


@cache
def licence() -> str:
    """Return the text of the licence that the runtime comes under.

    Raises
    ------
    ShoalError
        If it is not where the checkout or the installed package keeps it.
    """
    beside = sources().parent / "LICENSE"
    if beside.exists():
        return beside.read_text(encoding="utf-8")
    for file in importlib.metadata.files("shoal") or ():
        if file.name == "LICENSE":
            return file.read_text(encoding="utf-8")
    raise ShoalError(
        "the licence is not there", where=str(beside), hint="pip install --force-reinstall shoal"
    )
