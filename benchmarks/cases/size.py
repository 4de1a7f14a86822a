"""Bytes and start-up: the runtime as firmware, the wheel, what the package needs, ``import shoal``."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from zipfile import ZipFile

from benchmarks.result import Result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.result import Effort

ROOT = Path(__file__).parents[2]
FLAGS = ["-std=c99", "-ffp-contract=off", "-ffunction-sections", f"-I{ROOT / 'runtime/include'}"]
CORTEX_M4F = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
TARGETS = {
    "host": ("cc", "size", []),
    "cortex-m4f": ("arm-none-eabi-gcc", "arm-none-eabi-size", CORTEX_M4F),
}


def run(effort: Effort) -> Iterator[Result]:
    for target, (compiler, size, flags) in TARGETS.items():
        for level in ("-Os", "-O2"):
            yield text(target, compiler, size, [*flags, level])
    yield imports(3 if effort.quick else 10)
    yield wheel()
    yield dependencies()


def text(target: str, compiler: str, size: str, flags: list[str]) -> Result:
    """Code and constants of all that a firmware compiles, before the linker drops what is not used."""
    name, setting = "firmware text", f"{target} {flags[-1]}"
    if not (shutil.which(compiler) and shutil.which(size)):
        return Result(
            "size", name, setting, missing=f"{compiler} is not installed: apt-get install gcc-arm-none-eabi"
        )
    sources = sorted(p for p in (ROOT / "runtime/src").glob("*.c") if p.name != "cohort.c")
    with tempfile.TemporaryDirectory() as folder:
        objects = [Path(folder, source.stem + ".o") for source in sources]
        for source, thing in zip(sources, objects, strict=True):
            subprocess.run([compiler, *FLAGS, *flags, "-c", source, "-o", thing], check=True)
        table = subprocess.run([size, "-t", *objects], check=True, capture_output=True, text=True).stdout
    code, data, zeroed = (float(field) for field in table.splitlines()[-1].split()[:3])
    return Result("size", name, setting, {"bytes": code, "data": data + zeroed})


def imports(repeats: int) -> Result:
    """What ``import shoal`` adds to the start of Python; most of it is NumPy."""

    def start(code: str) -> float:
        took = []
        for _ in range(repeats):
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            took.append(time.perf_counter() - begin)
        return median(took)

    empty, numpy, shoal = start("pass"), start("import numpy"), start("import shoal")
    return Result(
        "size", "import shoal", "", {"ms": 1e3 * (shoal - empty), "numpy_ms": 1e3 * (numpy - empty)}
    )


def wheel() -> Result:
    """The package alone, packed and unpacked."""
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
        command = [*pip, f"--config-settings=build-dir={folder}/build", "--wheel-dir", folder, str(ROOT)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["?"])[-1]
            return Result("size", "wheel", "", missing=f"pip wheel failed: {reason}")
        path = next(Path(folder).glob("*.whl"))
        with ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        return Result("size", "wheel", "", {"bytes": path.stat().st_size, "unpacked": unpacked})


def dependencies() -> Result:
    """Everything that the base package requires, NumPy included; the wheel comes on top."""
    try:
        names = closure("shoal", set()) - {"shoal"}
    except metadata.PackageNotFoundError as error:
        return Result("size", "dependencies", "", missing=f"{error.name} is not installed: pip install .")
    sizes = {name: weight(name) for name in names}
    values = {"bytes": sum(sizes.values()), "numpy": sizes.get("numpy", 0.0), "packages": float(len(sizes))}
    return Result("size", "dependencies", "", values)


def closure(name: str, seen: set[str]) -> set[str]:
    """Names of a distribution and of all that it requires without extras."""
    seen.add(name)
    for requirement in metadata.requires(name) or []:
        other = re.split(r"[^A-Za-z0-9_.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")
        if ";" not in requirement and other not in seen:
            closure(other, seen)
    return seen


def weight(name: str) -> float:
    """Bytes of a distribution's files."""
    files = metadata.files(name) or []
    return float(sum(p.stat().st_size for f in files if (p := Path(str(f.locate()))).exists()))
