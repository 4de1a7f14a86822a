"""A run in words: its parts as JSON values, and where it ran."""

from __future__ import annotations

import platform
import zlib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shoal.nn import Network
from shoal.nn.spec import layers_to_json
from shoal.runtime import isa

__all__ = ["describe", "environment"]


def describe(value: Any) -> Any:
    """Return a value as JSON has it: a dataclass as its name and fields, an array as its shape and CRC-32.

    Examples
    --------
    >>> from shoal.federate import TinyReptile
    >>> describe(TinyReptile())["local_steps"]
    32
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.ndarray):
        return {"shape": list(value.shape), "crc32": zlib.crc32(np.ascontiguousarray(value).tobytes())}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Network):
        return {
            "layers": layers_to_json(value.layers),
            "input_shape": list(value.input_shape),
            "loss": value.loss,
            "arrays": {name: zlib.crc32(array.tobytes()) for name, array in value.arrays.items()},
        }
    if is_dataclass(value) and not isinstance(value, type):
        return {"type": type(value).__name__} | {
            f.name: describe(getattr(value, f.name)) for f in fields(value)
        }
    if isinstance(value, dict):
        return {str(key): describe(item) for key, item in value.items()}
    if isinstance(value, list | tuple | range):
        return [describe(item) for item in value]
    return {"type": type(value).__qualname__}


def environment() -> dict[str, str | None]:
    """Return where this runs: versions, platform, instruction set and git revision."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
        "isa": isa(),
        "git": revision(Path.cwd()),
    }


def revision(folder: Path) -> str | None:
    """Return the git revision of the working tree around a folder, None where there is none."""
    for place in (folder, *folder.parents):
        git = place / ".git"
        try:
            head = (git / "HEAD").read_text(encoding="utf-8").strip()
            if not head.startswith("ref: "):
                return head
            name = head.removeprefix("ref: ")
            if (git / name).is_file():
                return (git / name).read_text(encoding="utf-8").strip()
            packed = (git / "packed-refs").read_text(encoding="utf-8").splitlines()
            return next((line.split()[0] for line in packed if line.endswith(f" {name}")), None)
        except OSError:
            if git.exists():
                return None
    return None
