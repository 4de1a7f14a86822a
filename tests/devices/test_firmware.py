"""Firmware holds the instructions of its core and no others, and its counter counts each of them."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

import pytest

from shoal.devices import cores
from shoal.devices.emulator import Emulator
from shoal.devices.firmware import Firmware, build
from shoal.devices.machines import machine, runtime_folder
from tests.devices import nets

# What the linker says of all parts together.
ARCHITECTURES = {
    "cortex-m0+": "v6S-M",
    "cortex-m3": "v7",
    "cortex-m4f": "v7E-M",
    "cortex-m7": "v7E-M",
    "cortex-m33": "v8-M.mainline",
    "cortex-m55": "v8.1-M.mainline",
    "rv32imc": "imc",
    "rv32imac": "imac",
    "rv32imafc": "imafc",
}

# Sends how much the counter grows over loops of known length.
MAIN = """
#include "board.h"

#if defined(__riscv)
#define LOOP(n) __asm__ volatile("1: addi %0, %0, -1\\nbnez %0, 1b" : "+r"(n))
#else
#define LOOP(n) __asm__ volatile(".syntax unified\\n1: subs %0, #1\\nbne 1b" : "+l"(n) : : "cc")
#endif

static uint32_t measured(uint32_t n)
{
    const uint32_t start = board_count(NULL);
    LOOP(n);
    return board_count(NULL) - start;
}

int main(void)
{
    const uint32_t loops[] = {1, 2, 3, 1000, 1001, 123456};
    for (size_t i = 0; i < 6; i++) {
        const uint32_t count = measured(loops[i]);
        for (size_t byte = 0; byte < 4; byte++) board_send(NULL, (uint8_t)(count >> 8 * byte));
    }
    for (;;) (void)board_receive();
}
"""
LOOPS = (1, 2, 3, 1000, 1001, 123456)


def each(test):
    return pytest.mark.parametrize("core", [pytest.param(core, marks=nets.needs(core)) for core in cores()])(
        test
    )


def tool(core: str, name: str, *arguments: str) -> str:
    command = [machine(core).compiler.replace("gcc", name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@each
def test_it_is_made_for_its_core_alone(core, tmp_path):
    path = str(build(machine(core), tmp_path).path)
    said = re.search(r"Tag_(?:CPU|RISCV)_arch: \"?([^\s\"]+)", tool(core, "readelf", "-A", path))[1]
    letters = "".join(re.findall(r"(?:rv32|_)([a-z])\d", said))
    assert (letters or said) == ARCHITECTURES[core]
    code = tool(core, "objdump", "-d", path)
    # Vectors of floats flush subnormal numbers, and a fused operation rounds once instead of twice.
    assert not re.search(r"\tv\w+\.f(16|32)\s+q", code)
    assert not re.search(r"\tv?fn?m(la|ls|a|s|add|sub)\.?(f32|s)?\s", code)
    names = [line.split()[-1] for line in tool(core, "nm", path).splitlines()]
    assert not {
        name for name in names if re.search(r"malloc|printf|__aeabi_d|df[23]$|^(exp|log|tanh|sqrt)f?$", name)
    }


@each
def test_every_instruction_is_counted(core, tmp_path):
    board = machine(core)
    ports = runtime_folder() / "ports"
    main = tmp_path / "main.c"
    main.write_text(MAIN, encoding="utf-8")
    files = [
        main,
        *(ports / "qemu" / f"{name}.c" for name in ("start", f"reset_{board.architecture}", board.port)),
    ]
    sizes = {"stack_size": 4096, "frames_size": 0, "memory_needed": 0}
    symbols = sizes | {
        f"{name}_{part}": getattr(getattr(board, name), part)
        for name in ("flash", "ram")
        for part in ("at", "size")
    }
    path = tmp_path / "count.elf"
    command = [
        board.compiler,
        *board.flags,
        *board.link,
        *map(str, files),
        "-T",
        str(ports / "qemu" / "firmware.ld"),
    ]
    command += [f"-DUART={board.uart:#x}", f"-DCOUNTER={board.counter:#x}", f"-I{ports / 'qemu'}"]
    command += [f"-I{ports / 'serial'}", f"-I{ports.parent / 'include'}"]
    command += [f"-Wl,--defsym={name}={value}" for name, value in symbols.items()]
    subprocess.run([*command, "-o", str(path)], check=True)
    emulator = Quiet(board, Firmware(path, 0, 0))
    data = emulator.first
    while len(data) < 4 * len(LOOPS):
        data += emulator.read(10)
    emulator.close()
    counts = [count / board.ticks for count in struct.unpack(f"<{len(LOOPS)}I", data)]
    around = round(counts[0]) - 2
    assert 0 < around < 30
    assert [round(count) - around for count in counts] == [2 * loops for loops in LOOPS]


class Quiet(Emulator):
    """An emulator that keeps the first bytes of its board."""

    first = b""

    def read(self, seconds: float) -> bytes:
        data = super().read(seconds)
        self.first = self.first or data
        return data


def test_the_tables_know_the_same_cores():
    table = (runtime_folder() / "ports" / "cores.txt").read_text(encoding="utf-8")
    compiled = {line.split()[0] for line in table.splitlines() if line[:1].isalpha()} - {"all", "link"}
    assert compiled == set(cores()) == set(ARCHITECTURES)
    assert Path(runtime_folder(), "include", "shoal.h").exists()


def test_the_documentation_names_every_machine_and_its_memories():
    page = (Path(__file__).parents[2] / "docs" / "devices.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if "| 256 KB |" in line
    ]
    told = {core.strip(" `"): row[1:] for row in rows for core in row[0].split(",")}
    assert told == {
        core: [
            machine(core).name,
            {1 << 20: "1 MB", 1 << 19: "512 KB"}[machine(core).flash.size],
            f"{machine(core).ram.size >> 10} KB",
        ]
        for core in cores()
    }
