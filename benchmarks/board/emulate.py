"""Run a program on an emulated board."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.board.build import Core


def run(core: Core, program: Path) -> dict[str, int]:
    """Return the numbers that the program prints."""
    command = ["qemu-system-riscv32", "-bios", "none"] if core.is_riscv else ["qemu-system-arm"]
    command += ["-M", core.machine, "-nographic", "-icount", f"shift={core.shift}"]
    command += ["-semihosting-config", "enable=on,target=native", "-kernel", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{program}: the board ended with {done.returncode}: {done.stdout}{done.stderr}")
    numbers: dict[str, int] = json.loads(done.stdout or done.stderr)  # where semihosting writes differs
    return numbers
