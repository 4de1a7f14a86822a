"""The library: the build for this processor, its errors, and memory as it wants it."""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import ConfigError, DivergedError, ImageError, InputError, ShoalError, StateError
from shoal.runtime.records import InfoRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = [
    "aligned",
    "best_width",
    "buffer",
    "builds",
    "check",
    "error_of",
    "function",
    "isa",
    "library",
    "pointers",
]

ALIGNMENT = 64
NOT_FINITE = -9
LABEL = -10
ERRORS: dict[int, type[ShoalError]] = {
    **dict.fromkeys((-1, -2, -3, -5, -6, -7), ImageError),
    **dict.fromkeys((-4, -13), StateError),
    **dict.fromkeys((-8, LABEL, -12), InputError),
    **dict.fromkeys((-11, -14), ConfigError),
    NOT_FINITE: DivergedError,
}


def builds() -> list[str]:
    """Return the builds for this kind of processor, the fastest first."""
    machine = platform.machine().lower()
    if machine in {"aarch64", "arm64"}:
        return ["neon"]
    return ["avx512", "avx2", "baseline"] if machine in {"x86_64", "amd64"} else ["baseline"]


def open_build(build: str) -> ctypes.CDLL:
    """Load one build from the package."""
    # An editable install keeps Python files in the source tree and the built libraries elsewhere on the path.
    folders = list(sys.modules["shoal"].__path__)
    for folder in folders:
        for suffix in ("so", "dylib", "dll"):
            path = Path(folder) / "_lib" / f"shoal_{build}.{suffix}"
            if path.exists():
                return ctypes.CDLL(str(path))
    raise ShoalError(
        f"the C runtime is not built: no library for '{build}'",
        where=", ".join(f"{folder}/_lib" for folder in folders),
        hint="pip install --force-reinstall shoal, or in a checkout: make demo",
    )


@functools.cache
def library() -> tuple[str, ctypes.CDLL]:
    """Return the name of the build in use and the library."""
    known = builds()
    wanted = os.environ.get("SHOAL_ISA")
    if wanted is not None and wanted not in known:
        raise ConfigError(f"SHOAL_ISA is '{wanted}'", where="environment", hint=f"one of {', '.join(known)}")
    plainest = open_build(known[-1])
    plainest.shoal_cohort_isa.restype = ctypes.c_char_p
    best = plainest.shoal_cohort_isa().decode()
    if wanted is not None and known.index(wanted) < known.index(best):
        raise ConfigError(
            f"SHOAL_ISA is '{wanted}', this processor runs '{best}'",
            where="environment",
            hint=f"SHOAL_ISA={best}",
        )
    build = wanted or best
    c = open_build(build)
    c.shoal_status_text.restype = ctypes.c_char_p
    c.shoal_info.restype = InfoRecord
    c.shoal_state_size.restype = ctypes.c_size_t
    c.shoal_state.restype = ctypes.c_void_p
    c.shoal_checksum.restype = ctypes.c_uint32
    return build, c


def isa() -> str:
    """Instruction set of the build in use: ``avx512``, ``avx2``, ``baseline`` or ``neon``.

    ``SHOAL_ISA`` in the environment chooses another one that the processor runs.
    """
    return library()[0]


def best_width() -> int:
    """Return the number of lanes that is fastest with the build in use."""
    return {"avx512": 16, "avx2": 8, "neon": 8}.get(isa(), 1)


def error_of(status: int, where: str) -> ShoalError:
    """Return what a negative status of the runtime means, as an error of the house."""
    text = library()[1].shoal_status_text(status).decode()
    return ERRORS.get(status, ShoalError)(text, where=where)


def check(status: int, where: str) -> None:
    """Raise the error of a status that is not 0."""
    if status != 0:
        raise error_of(status, where)


def buffer(size: int) -> NDArray[np.uint8]:
    """Return uninitialised memory that starts at a multiple of 64 bytes."""
    raw = np.empty(size + ALIGNMENT, np.uint8)
    skip = -raw.ctypes.data % ALIGNMENT
    return raw[skip : skip + size]


def function(name: str, width: int) -> Callable[..., int]:
    """Return a function of the cohort at a width."""
    return getattr(library()[1], name if width == 1 else f"{name}_w{width}")  # type: ignore[no-any-return]


def aligned(image: bytes) -> NDArray[np.uint8]:
    """Return a copy of the image where the runtime can read it."""
    copy = buffer(len(image))
    copy[:] = np.frombuffer(image, np.uint8)
    return copy


def pointers(*buffers: NDArray[np.uint8]) -> list[Any]:
    """Return address and size of each buffer, as the arguments of a call."""
    return [f(v) for b in buffers for f, v in ((ctypes.c_void_p, b.ctypes.data), (ctypes.c_size_t, b.size))]
