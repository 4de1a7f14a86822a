"""Projects that run: on every emulated core the bits of this computer, within the memory of the board."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from shoal import build, learn
from shoal.build.targets.qemu import machine_of
from shoal.devices.machines import machine
from shoal.errors import ShoalError
from tests.build.conftest import CORES, NETWORKS, firmware, need, need_core

# What no firmware links: an allocator, formatted output, libm, arithmetic on doubles.
FORBIDDEN = re.compile(
    r"(_?malloc|_?calloc|_?realloc|_?free|v?s?n?printf|puts|expf?|logf?|powf?|tanhf?|sinf?|"
    r"__aeabi_d\w+|__aeabi_f2d|__\w*df[23]|__extendsfdf2|__truncdfsf2)$"
)


def symbols(folder: Path, core: str) -> set[str]:
    """Return the names in a linked program."""
    tool = machine(core).compiler.replace("gcc", "nm")
    lines = subprocess.run(
        [tool, str(folder / "firmware.elf")], capture_output=True, text=True, check=True
    ).stdout
    return {line.split()[-1] for line in lines.splitlines()}


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("name", ["dense", "conv"])
def test_a_project_computes_the_same_bits_on_every_core(emulated, core, name):
    need_core(core, emulator=True)
    trial, folder = emulated(firmware(name, CORES[core]))  # compares answers and checksums, through a restart
    assert trial.core == core
    assert trial.learn > trial.predict > 0
    assert 0 < trial.stack < 4096
    found = symbols(folder, core)
    assert not {symbol for symbol in found if FORBIDDEN.match(symbol)}
    assert ("shoal_conv2d_forward" in found) == (name == "conv")
    assert not {symbol for symbol in found if "fixed" in symbol or "quantized" in symbol}
    assert "shoal_sigmoid" not in " ".join(found)


@pytest.mark.parametrize("name", sorted(set(NETWORKS) - {"dense", "conv"}))
@pytest.mark.parametrize("core", ["cortex-m0+", "cortex-m4f"])
def test_other_networks_too(emulated, core, name):
    need_core(core, emulator=True)
    trial, _ = emulated(firmware(name, CORES[core]))
    assert trial.learn > trial.predict > 0


@pytest.mark.parametrize("optimizer", [None, learn.Momentum(0.05), learn.Adam()])
def test_other_optimizers_and_none(emulated, optimizer):
    need_core("cortex-m4f", emulator=True)
    trial, folder = emulated(firmware("regressor", optimizer=optimizer))
    assert (trial.learn is None) == (optimizer is None)
    learning = {"shoal_learn", "shoal_store_save_network", "shoal_dense_backward"}
    assert bool(learning & symbols(folder, "cortex-m4f")) == (optimizer is not None)


def test_a_board_that_is_too_small_is_refused_by_the_linker(tmp_path):
    need_core("cortex-m3")
    made = firmware("conv", "nucleo-f103rb", learn.Adam())
    folder = build.project(made, "qemu", tmp_path / "project")
    text = (folder / "Makefile").read_text(encoding="utf-8")
    (folder / "Makefile").write_text(text.replace("ram_size=0x5000", "ram_size=0x1800"), encoding="utf-8")
    with pytest.raises(ShoalError, match="region `RAM' overflowed"):
        build.emulated(made, folder)


def test_a_firmware_with_other_arithmetic_is_told_so_by_itself(tmp_path):
    need_core("cortex-m7", emulator=True)
    made = firmware("dense", CORES["cortex-m7"])
    folder = build.project(made, "qemu", tmp_path / "project")
    text = (folder / "Makefile").read_text(encoding="utf-8")
    contracted = text.replace("-ffp-contract=off", "-ffp-contract=fast")
    (folder / "Makefile").write_text(contracted, encoding="utf-8")
    with pytest.raises(ShoalError, match="differs from the host's: compile with -ffp-contract=off"):
        build.emulated(made, folder)


def test_the_library_for_arduino_needs_no_flags(tmp_path):
    """Its sources, compiled as the Arduino IDE does, on the port for QEMU."""
    need_core("cortex-m4f", emulator=True)
    made = firmware("dense")
    folder = build.project(made, "qemu", tmp_path / "project")
    library = build.project(made, "arduino", tmp_path / "library") / "src"
    own = {file.name for file in folder.rglob("*.c")} - {"main.c", "sensor.c", "flash.c"}
    for file in folder.rglob("*.[ch]"):
        if file.name in own | {"shoal_config.h"} and (library / file.name).exists():
            file.write_text((library / file.name).read_text(encoding="utf-8"), encoding="utf-8")
    text = (folder / "Makefile").read_text(encoding="utf-8")
    flags = "-std=c99 -O2 -ffp-contract=off -fno-math-errno -fno-trapping-math"
    assert flags in text
    text = text.replace(flags, "-std=gnu11 -Os")
    (folder / "Makefile").write_text(text, encoding="utf-8")
    assert build.emulated(made, folder).checksum


def test_cmake_builds_here_and_for_the_board(tmp_path):
    need("cmake", "gcc")
    need_core("cortex-m4f")
    folder = build.project(firmware("conv"), "cmake", tmp_path / "project")

    def call(*command: str) -> str:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    call("cmake", "-B", "here")
    call("cmake", "--build", "here")
    assert call("here/conv_here").splitlines() == ["golden vectors: ok", "no sample: write sensor.c"]
    call("cmake", "-B", "board", "-DCMAKE_TOOLCHAIN_FILE=toolchain.cmake")
    call("cmake", "--build", "board")
    members = call("arm-none-eabi-nm", "board/libconv.a")
    assert " T app_step" in members
    assert "shoal_conv2d_forward" in members


def test_a_core_without_emulator_names_what_builds_for_it():
    with pytest.raises(ShoalError, match="xtensa-lx7") as caught:
        machine_of(firmware("dense", "esp32s3-eye"))
    assert "--to esp-idf" in str(caught.value)
