"""Firmware of one network for one core: what of the runtime it needs, the image, and a main that counts."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.build import config_header, source_files

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.nn import Plan

HERE = Path(__file__).parent
RUNTIME = HERE.parents[1] / "runtime"
FLAGS = ["-std=c99", "-ffp-contract=off", "-fno-math-errno", "-ffunction-sections", "-fdata-sections"]
LINK = ["-nostartfiles", "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments", f"-L{HERE}"]


@dataclass(frozen=True, slots=True)
class Core:
    """How to build for a core and where to run it; its counter ticks `ticks` times for an instruction."""

    compiler: str
    flags: tuple[str, ...]
    machine: str
    shift: int
    ticks: float

    @property
    def is_riscv(self) -> bool:
        return self.compiler.startswith("riscv")


def arm(machine: str, *flags: str) -> Core:
    # 64 ns for an instruction, 40 ns for a tick of the board's timer.
    return Core("arm-none-eabi-gcc", ("-mthumb", "--specs=nano.specs", *flags), machine, 6, 1.6)


def riscv(*flags: str) -> Core:
    return Core("riscv64-unknown-elf-gcc", ("--specs=picolibc.specs", *flags), "virt", 0, 1.0)


CORES = {
    "cortex-m4f": arm("mps2-an386", "-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
    "cortex-m3": arm("mps2-an385", "-mcpu=cortex-m3"),
    # No machine of the right size has this core; a Cortex-M3 runs all of its instructions.
    "cortex-m0+": arm("mps2-an385", "-mcpu=cortex-m0plus"),
    "rv32imafc": riscv("-march=rv32imafc", "-mabi=ilp32f", "-mcmodel=medany"),
}


@dataclass(frozen=True, slots=True)
class Program:
    """A network as the board gets it, with x (samples, inputs) and targets (samples, targets)."""

    plan: Plan
    x: NDArray[Any]
    targets: NDArray[np.float32]

    def header(self) -> str:
        """Return image and samples in C."""
        plan, (samples, inputs), targets = self.plan, self.x.shape, self.targets.shape[1]
        outputs = int(np.prod(plan.tensors[plan.output].shape))
        words = ", ".join(f"0x{word:08x}" for word in np.frombuffer(plan.image(), np.uint32))
        memory = sum(plan.ram().values()) + 512  # the record of the network is smaller
        return (
            f"static const uint32_t image[] = {{{words}}};\n"
            f"enum {{ MEMORY = {memory}, SAMPLES = {samples}, INPUTS = {inputs}, TARGETS = {targets},\n"
            f"       OUTPUTS = {outputs} }};\n" + table("x", self.x) + table("target", self.targets)
        )


def table(name: str, values: NDArray[Any]) -> str:
    """Return a constant of C with exactly these values."""
    integers = values.dtype == np.int16
    kind = "int16_t" if integers else "float"
    rows = ", ".join(
        "{" + ", ".join(str(v) if integers else f"{float(v).hex()}f" for v in row) + "}" for row in values
    )
    return f"static const {kind} {name}[{values.shape[0]}][{values.shape[1]}] = {{{rows}}};\n"


def firmware(program: Program, core: Core, level: str, runtime: Path, folder: Path) -> Path:
    """Compile in `folder` and return the linked program, with a map beside it."""
    (folder / "sample.h").write_text(program.header(), encoding="utf-8")
    (folder / "shoal_config.h").write_text(config_header(program.plan), encoding="utf-8")
    include = [f"-I{folder}", f"-I{runtime}/include", f"-I{HERE}"]
    objects = []
    for source in (
        *(runtime / "src" / name for name in source_files(program.plan)),
        *sorted(HERE.glob("*.c")),
    ):
        objects.append(folder / f"{source.stem}.o")
        command = [core.compiler, *FLAGS, *core.flags, level, *include, "-c", str(source)]
        subprocess.run([*command, "-o", str(objects[-1])], check=True)
    linked = folder / "bench.elf"
    script = ["-T", "riscv.ld" if core.is_riscv else "arm.ld", f"-Wl,-Map={folder / 'bench.map'}"]
    command = [core.compiler, *core.flags, level, *LINK, *script, *map(str, objects), "-lgcc"]
    subprocess.run([*command, "-o", str(linked)], check=True)
    return linked


def text(linked: Path) -> dict[str, int]:
    """Return bytes of code and constants by object file: of the runtime, and what it takes from libraries."""
    sizes: dict[str, int] = {}
    inside = linked.with_suffix(".map").read_text(encoding="utf-8").split("Linker script and memory map")[1]
    pattern = r"^ \.(?:text|rodata|srodata)\S*\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s+(\S+)$"
    for size, path in re.findall(pattern, inside, re.MULTILINE):
        name = re.sub(r".*\((.*)\)", r"lib:\1", Path(path).name)
        sizes[name] = sizes.get(name, 0) + int(size, 16)
    return {name: size for name, size in sizes.items() if name not in {"bench.o", "start.o"} and size > 0}
