"""What of the runtime a build compiles: no more than it needs, and no less."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from shoal.build import config_header, source_files
from shoal.build.selection import (
    ALWAYS,
    BACKWARD_CODES,
    FIXED_FILES,
    FLOAT_FILES,
    QUANTIZED_BACKWARD_CODES,
    QUANTIZED_FILES,
    masks,
)
from shoal.build.sources import sources, with_headers
from shoal.nn.graph import BACKWARD, QUANTIZED, Code
from tests.build.conftest import NETWORKS, dense, need

OPERATIONS = [
    *((code, False) for code in FLOAT_FILES),
    *((code + BACKWARD, False) for code in BACKWARD_CODES),
    *((code + QUANTIZED, False) for code in QUANTIZED_FILES),
    *((code + QUANTIZED + BACKWARD, False) for code in QUANTIZED_BACKWARD_CODES),
    *((code + QUANTIZED, True) for code in FIXED_FILES),
    *((code + QUANTIZED + BACKWARD, True) for code in (Code.DENSE, Code.RELU)),
]
COMMON = re.compile("(memcpy|memset|memcmp|memmove|sqrtf|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_)$")


def plan_of(code: int, fixed: bool):
    """Return a plan that consists of one operation."""
    plan = dense().plan("sgd")
    tensors = tuple(replace(tensor, type=4 if fixed else 0) for tensor in plan.tensors)
    operation = replace(plan.forward[0], code=code)
    if code % QUANTIZED >= BACKWARD:
        return replace(plan, tensors=tensors, forward=(), learning=(operation,))
    return replace(plan, tensors=tensors, forward=(operation,), learning=())


@cache
def is_configured(name: str) -> bool:
    """Tell whether the choice of operations changes what a file calls; image.c checks them and calls none."""
    return name != "image.c" and "HAS" in (sources() / "src" / name).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def symbols(tmp_path_factory):
    """Return a function for the symbols that an object defines and needs."""
    folder = tmp_path_factory.mktemp("objects")
    known: dict[tuple[str, ...], tuple[set[str], set[str]]] = {}

    def of(compiler: str, level: str, name: str, config: str) -> tuple[set[str], set[str]]:
        key = (compiler, level, name, config if is_configured(name) else "")
        if key not in known:
            (folder / "shoal_config.h").write_text(config, encoding="utf-8")
            runtime = sources()
            command = [compiler, "-std=c99", level, "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"]
            command += [f"-I{folder}", f"-I{runtime / 'include'}", "-c", str(runtime / "src" / name)]
            subprocess.run([*command, "-o", str(folder / "one.o")], check=True)
            lines = subprocess.run(
                ["nm", str(folder / "one.o")], capture_output=True, text=True, check=True
            ).stdout.splitlines()
            words = [line.split() for line in lines]
            known[key] = (
                {found[2] for found in words if len(found) == 3 and found[1] in "TR"},
                {found[1] for found in words if len(found) == 2 and found[0] == "U"},
            )
        return known[key]

    return of


def check(symbols, compiler: str, level: str, plan) -> None:
    """Check that the files call nothing in others, and that each of them is called."""
    need(compiler, "nm")
    files, config = source_files(plan), config_header(plan)
    found = {name: symbols(compiler, level, name, config) for name in files}
    defined = {symbol for of_file in found.values() for symbol in of_file[0]}
    missing = {symbol for of_file in found.values() for symbol in of_file[1]} - defined
    assert {symbol for symbol in missing if not COMMON.match(symbol)} == set()
    for name in set(files) - {*ALWAYS, "fixed_loss.c"}:
        others = {symbol for other in found if other != name for symbol in found[other][1]}
        assert found[name][0] & others, f"{name} is called by nobody"


@pytest.mark.parametrize(("code", "fixed"), OPERATIONS)
def test_each_operation_brings_its_files_and_no_others(symbols, code, fixed):
    check(symbols, "gcc", "-O0", plan_of(code, fixed))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("compiler", "level"), [("gcc", "-O2"), ("clang", "-O1"), ("clang", "-O0")])
def test_networks_link(symbols, name, compiler, level):
    check(symbols, compiler, level, NETWORKS[name]().plan("sgd"))


def test_every_file_of_the_runtime_belongs_to_an_operation_or_to_all():
    files = {file.name for file in (sources() / "src").glob("*.c")}
    used = {name for code, fixed in OPERATIONS for name in source_files(plan_of(code, fixed))}
    assert files - used == {"cohort.c", "store.c"}


def test_masks_are_those_of_the_image():
    plan = dense().plan("momentum")
    assert masks(plan) == {
        "OPERATIONS": 1 << 1 | 1 << 7 | 1 << 12 | 1 << 34,
        "BACKWARD": 1 << 1 | 1 << 7,
        "QUANTIZED": 0,
        "QUANTIZED_BACKWARD": 0,
        "OPTIMIZERS": 1 << 2,
        "FIXED": 0,
        "BYTES": 0,
        "UINT8": 0,
        "INT16": 0,
    }


def test_an_8_bit_core_and_fast_math_are_refused_by_the_compiler(tmp_path):
    need("gcc")
    (tmp_path / "shoal_config.h").write_text(config_header(dense().plan("sgd")), encoding="utf-8")
    text = '#include <stdint.h>\n#include "shoal_config.h"\nint one;\n'
    (tmp_path / "one.c").write_text(text, encoding="utf-8")
    for flag, reason in (("-D__AVR__", "8-bit AVR"), ("-ffast-math", "without -ffast-math")):
        done = subprocess.run(
            ["gcc", flag, "-c", "one.c"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode != 0
        assert reason in done.stderr


def test_headers_come_along():
    files = with_headers(["dense.c"])
    assert files[0] == "dense.c"
    assert {"network.h", "real.h", "tile.h", "product.h"} <= set(files)
    assert all((Path(sources()) / "src" / name).exists() for name in files)
