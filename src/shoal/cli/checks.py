"""The checks of `shoal doctor`."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from shoal import nn, runtime
from shoal.cli.console import size
from shoal.devices.machines import PACKAGES
from shoal.errors import ShoalError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Check", "checks", "fingerprint"]

Status: TypeAlias = Literal["ok", "missing", "failed"]

WIDTHS = (1, 8, 16)
STEPS = 1000
# CRC-32 of the parameters after the self-check, on every processor.
KNOWN = 0xC7DBA26B
EXTRAS = {"matplotlib": ("matplotlib", "plot"), "scikit-learn": ("sklearn", "demo")}
COMPILERS = ("gcc", "clang")
# What a cross compiler needs to find beside itself: its C library.
LIBRARIES = {"arm-none-eabi-gcc": "nano.specs", "riscv64-unknown-elf-gcc": "picolibc.specs"}
LOW = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the answer.

    Parameters
    ----------
    name
        What was looked at.
    status
        "ok", "missing" for something optional, or "failed".
    value
        What was found.
    hint
        What to do about it.
    essential
        Without it nothing works.
    """

    name: str
    status: Status
    value: str
    hint: str | None = None
    essential: bool = False


def checks() -> list[Check]:
    """Return all checks, essentials first."""
    return [
        python(),
        numpy(),
        *guarded("runtime", libraries),
        *guarded("self-check", self_check),
        *extras(),
        *tools(),
        data(),
        disk(),
    ]


def guarded(name: str, check: Callable[[], list[Check]]) -> list[Check]:
    """Return what a check finds; one that cannot run has failed."""
    try:
        return check()
    except (ShoalError, OSError) as problem:
        hint = problem.hint if isinstance(problem, ShoalError) else None
        what = problem.what if isinstance(problem, ShoalError) else str(problem)
        return [Check(name=name, status="failed", value=what, hint=hint, essential=True)]


def python() -> Check:
    """Check the interpreter."""
    good = sys.version_info >= (3, 11)
    return Check(
        name="python",
        status="ok" if good else "failed",
        value=f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        hint=None if good else "Python 3.11 or newer",
        essential=True,
    )


def numpy() -> Check:
    """Report numpy."""
    return Check(name="numpy", status="ok", value=np.__version__, essential=True)


def libraries() -> list[Check]:
    """Report the builds of the C runtime."""
    folders = [Path(folder) / "_lib" for folder in sys.modules["shoal"].__path__]
    found = sorted(
        {file.stem.removeprefix("shoal_") for folder in folders for file in folder.glob("shoal_*")}
    )
    return [
        Check(
            name="runtime",
            status="ok",
            value=f"{runtime.isa()} in use, found: {', '.join(found)}",
            essential=True,
        ),
        Check(name="width", status="ok", value=f"{runtime.best_width()} devices at a time", essential=True),
    ]


def self_check() -> list[Check]:
    """Let a network learn at every width and compare the bits."""
    sums = {width: fingerprint(width) for width in WIDTHS}
    wrong = {width: value for width, value in sums.items() if value != KNOWN}
    listed = ", ".join(f"width {width}: {value:08x}" for width, value in wrong.items())
    return [
        Check(
            name="self-check",
            status="failed" if wrong else "ok",
            value=f"expected {KNOWN:08x}, {listed}"
            if wrong
            else f"{STEPS:,} steps, checksum {KNOWN:08x} at widths {', '.join(map(str, WIDTHS))}",
            hint="reinstall shoal; if it persists, please report it with this line" if wrong else None,
            essential=True,
        )
    ]


def fingerprint(width: int) -> int:
    """Return the CRC-32 of what a small network has learnt after 1,000 steps at a width.

    Neither samples nor first weights come from a random generator: nothing but the runtime decides.
    """
    layers = [
        nn.Conv2D(8, 3, padding="same"),
        nn.GroupNorm(2),
        nn.Tanh(),
        nn.MaxPool2D(2),
        nn.DepthwiseConv2D(3, padding="same"),
        nn.LeakyReLU(),
        nn.Conv2D(6, 3, activation="relu"),
        nn.Flatten(),
        nn.Dense(8, "sigmoid"),
        nn.Dense(3),
        nn.Softmax(),
    ]
    network = nn.Network(layers, input_shape=(8, 8, 1), loss="cross_entropy")
    count = network.parameters.size
    start = (np.arange(count) * 37 % 101 - 50).astype(np.float32) / np.float32(256)
    samples = (np.arange(12 * 64) * 29 % 127).astype(np.float32).reshape(12, 8, 8, 1) / np.float32(128)
    row = np.tile(np.arange(STEPS, dtype=np.uint32) % 12, (width, 1))
    visits = runtime.visit(
        network.plan().image(),
        x=samples,
        row=row,
        targets=(row % 3)[..., None].astype(np.float32),
        phases=[runtime.Phase(0.05, STEPS)],
        start=start,
        width=width,
    )
    sums = {zlib.crc32(end.astype("<f4").tobytes()) for end in visits.end}
    # All lanes learn the same: more than one sum is as wrong as a wrong one, and so is a visit that failed.
    return sums.pop() if len(sums) == 1 and not visits.status.any() else 0


def extras() -> list[Check]:
    """Report the optional packages."""
    answer = []
    for package, (module, extra) in EXTRAS.items():
        if importlib.util.find_spec(module) is None:
            hint = f"pip install 'shoal[{extra}]'"
            answer.append(Check(name=package, status="missing", value=f"extra '{extra}'", hint=hint))
        else:
            answer.append(Check(name=package, status="ok", value=importlib.metadata.version(package)))
    return answer


def tools() -> list[Check]:
    """Report compilers and emulators for firmware."""
    answer = []
    for name in (*COMPILERS, *PACKAGES):
        packages = PACKAGES.get(name, name)
        hint = f"sudo apt-get install {packages} (Debian, Ubuntu); only needed to build or emulate firmware"
        path = shutil.which(name)
        if path is None:
            answer.append(Check(name=name, status="missing", value="not on the PATH", hint=hint))
        elif name in LIBRARIES and not beside(path, LIBRARIES[name]):
            value = f"{path} without its C library ({LIBRARIES[name]})"
            answer.append(Check(name=name, status="missing", value=value, hint=hint))
        else:
            answer.append(Check(name=name, status="ok", value=f"{version(path)}, {path}"))
    return answer


def version(tool: str) -> str:
    """Return the version that a tool names in its first line."""
    done = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r"\d+\.[\d.]*\d", re.sub(r"\(.*?\)", "", done.stdout.partition("\n")[0]))
    return found[0] if found else "unknown version"


def beside(compiler: str, file: str) -> bool:
    """Return whether a compiler finds a file of its own."""
    command = [compiler, f"-print-file-name={file}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() not in {"", file}


def data() -> Check:
    """Report where the data sets lie."""
    name = "SHOAL_DATA"
    folder = os.environ.get(name)
    if not folder:
        return Check(name=name, status="missing", value="not set", hint=f"export {name}=/path/to/data")
    if not Path(folder).is_dir():
        return Check(name=name, status="missing", value=f"{folder} does not exist", hint=f"mkdir -p {folder}")
    return Check(name=name, status="ok", value=folder)


def disk() -> Check:
    """Report the room for runs."""
    free = shutil.disk_usage(Path.cwd()).free
    return Check(
        name="disk",
        status="ok" if free >= LOW else "missing",
        value=f"{size(free)} free in {Path.cwd()}",
        hint=None if free >= LOW else "make room: runs keep checkpoints and metrics",
    )
