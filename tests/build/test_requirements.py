"""What a firmware needs, before it is built: compared with what is linked."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from shoal import build, learn
from shoal.build.code import code, deepest_stack
from shoal.devices.machines import machine
from shoal.runtime import Executor
from tests.build.conftest import CORES, NETWORKS, compile_one, firmware, need_core

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KINDS = [("dense", "sgd"), ("regressor", None), ("conv", "sgd"), ("int8", "sgd"), ("int8", None)]
KINDS += [("int8_learning", "sgd"), ("int16", "sgd")]

# What calls the application is no part of what a firmware needs.
MAIN = """#include "app.h"
int main(void)
{
    const char *volatile problem = app_start();
    const struct app_event event = app_step();
    return (int)app_largest(event.answer) + (problem != NULL) + (app_network() == NULL);
}
"""
SCRIPT = """SECTIONS {
    . = 0x10000;
    .text : {
        *(EXCLUDE_FILE(*main.o) .text EXCLUDE_FILE(*main.o) .text.*)
        *(.rodata .rodata.* .srodata .srodata.*)
    }
    .main : { *main.o(.text .text.*) }
    .data : { *(.data .data.* .sdata .sdata.*) }
    .bss : { *(.bss .bss.* .sbss .sbss.* COMMON) }
    /DISCARD/ : { *(.ARM.exidx* .ARM.extab* .eh_frame* .comment) }
}
"""


def linked(made: build.Firmware, folder: Path, objects: Callable[..., list[Path]]) -> dict[str, int]:
    """Link application, network and runtime, and nothing else; return the bytes of each section."""
    found = machine(made.board.core)
    folder = build.project(made, "cmake", folder)
    (folder / "src" / "main.c").write_text(MAIN, encoding="utf-8")
    (folder / "all.ld").write_text(SCRIPT, encoding="utf-8")
    for source in (folder / "src").glob("*.c"):
        compile_one(made, source, folder / f"{source.stem}.o")
    files = [*sorted(folder.glob("*.o")), *objects(made, folder)]
    link = [*found.flags, "-nostartfiles", "-Wl,--gc-sections", "-Wl,-emain", "-T", "all.ld"]
    subprocess.run([found.compiler, *link, *map(str, files), "-o", "all.elf"], cwd=folder, check=True)
    size = found.compiler.replace("gcc", "size")
    done = subprocess.run([size, "-A", "all.elf"], cwd=folder, capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith(".")]
    return {row[0]: int(row[1]) for row in rows}


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize(("name", "optimizer"), KINDS)
def test_flash_is_that_of_the_linked_file_within_2_percent(tmp_path, objects, core, name, optimizer):
    need_core(core)
    made = firmware(name, CORES[core], optimizer)
    needs = build.requirements(made)
    assert needs.has_code, f"python tools/measure_code.py {core}"
    found = linked(made, tmp_path / "project", objects)
    assert needs.flash_total == pytest.approx(found[".text"] + found.get(".data", 0), rel=0.02)
    # Variables to the byte; the stack apart.
    assert needs.ram_total - needs.ram["stack"] == found[".bss"] + found.get(".data", 0)


@pytest.mark.parametrize("name", NETWORKS)
def test_ram_of_the_network_is_what_the_runtime_asks_for(name):
    made = firmware(name)
    needs = build.requirements(made)
    parts = ("weights", "optimizer", "statistics", "activations", "record")
    on_board = sum(needs.ram[part] for part in parts)
    assert Executor(made.plan.image()).memory == on_board + 216 - 188  # a record with pointers of 8 bytes


@pytest.mark.parametrize("optimizer", ["sgd", None])
@pytest.mark.parametrize("name", ["dense", "conv", "int8"])
def test_the_stack_is_enough(emulated, name, optimizer):
    need_core("cortex-m4f", emulator=True)
    made = firmware(name, optimizer=optimizer)
    trial, _ = emulated(made)
    # The emulated firmware has a main and its numbers above the application.
    assert trial.stack <= build.requirements(made).ram["stack"] + 128


def test_each_optimizer_takes_what_it_keeps():
    weights = build.requirements(firmware("dense")).ram["weights"]
    for optimizer, kept in ((learn.SGD(), 0), (learn.Momentum(), 1), (learn.Adam(), 2)):
        assert build.requirements(firmware("dense", optimizer=optimizer)).ram["optimizer"] == kept * weights


def test_operations_that_are_not_used_are_not_counted():
    parts = {name: code(firmware(name)) for name in ("dense", "conv", "int16")}
    assert parts["dense"].operations < parts["conv"].operations
    assert parts["int16"].operations > 1000  # in fixed point
    answers = code(firmware("dense", optimizer=None))
    assert answers.runtime < parts["dense"].runtime
    assert all(0 < part.stack <= deepest_stack() for part in parts.values())


def test_advice_is_the_nearest_setting_that_fits():
    from shoal import nn

    layers = [nn.Dense(64, "relu"), nn.Dense(64, "relu"), nn.Dense(10, "softmax")]
    network = nn.Network(layers, (128,), loss="cross_entropy", seed=0)
    training = build.Training(optimizer="adam")
    made = build.firmware(network, build.supported_board("nucleo-f103rb"), training)
    assert not build.requirements(made).fits
    found = build.advice(made, network, training)
    assert all(one.needs.fits for one in found)
    options = [one.options for one in found]
    assert (
        options[0] == "--train-last 1 --optimizer adam"
    )  # two layers and Adam are too much, and so is SGD for all
    assert any("--bias-only" in option for option in options)
    assert any("--optimizer none" in option for option in options)
    board = found[-1].needs.firmware.board
    assert options[-1] == f"--for {board.name}"
    assert board.ram_bytes > build.requirements(made).ram_total
