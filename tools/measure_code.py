"""Measure the code of the runtime for every core: what `shoal.build` reads from code.json.

Run as `python tools/measure_code.py [CORE ...]`, with the cross compilers installed. The runtime is compiled
with the flags of runtime/ports/cores.txt. Functions that the choice of operations does not change are
measured once. The others, those that check and dispatch, are compiled for many drawn choices; their size is
fitted as a sum over the operations chosen.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal import learn, nn
from shoal.boards import board
from shoal.build import Firmware
from shoal.build.code import CHECKS, LIBRARY, application, checks, depends, features, relevant
from shoal.build.project import project_files
from shoal.build.selection import (
    BACKWARD_CODES,
    FIXED_FILES,
    FLAGS,
    FLOAT_FILES,
    QUANTIZED_BACKWARD_CODES,
    QUANTIZED_FILES,
    SETS,
    value_of,
)
from shoal.build.sources import sources
from shoal.devices.machines import Machine, cores, machine
from shoal.nn.graph import Code

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

DRAWN = 4  # choices of operations for each shape
CHECKED = (30, 8)  # of those that checks are compiled for: floats alone, and with integers
UNUSED = "text.shoal_memory_needed"  # what no application calls
CODES = {
    "OPERATIONS": tuple(FLOAT_FILES),
    "BACKWARD": BACKWARD_CODES,
    "QUANTIZED": tuple({**QUANTIZED_FILES, **FIXED_FILES}),
    "QUANTIZED_BACKWARD": (*QUANTIZED_BACKWARD_CODES, Code.RELU),
}
# From where execute.c calls operations: forward, and backward.
ROOTS = ("execute.c:text.shoal_run_forward", "execute.c:text.shoal_run_learning")
WIDE = {Code.SVDF, Code.LSTM}  # which keep int16 values
CHECKS_ROOT = f"{CHECKS}:text.shoal_open"
LIBRARY_STACK = 48  # bytes that a function of the compiler's libraries takes at most
# Callbacks, which are called where they are only referred to elsewhere.
INDIRECT = {
    "state.c:text.shoal_save_to": "store.c:text.put",
    "state.c:text.shoal_load_from": "store.c:text.get",
}
SCRIPT = """SECTIONS {
    . = 0x10000;
    .text : { *(.text .text.*) *(.rodata .rodata.* .srodata .srodata.*) }
    .data : { *(.data .data.* .sdata .sdata.*) }
    .bss : { *(.bss .bss.* .sbss .sbss.* COMMON) }
    /DISCARD/ : { *(.ARM.exidx* .ARM.extab* .eh_frame* .comment) }
}
"""


@dataclass
class Node:
    """A function or a table of constants: bytes of flash, bytes of stack, and what it refers to."""

    size: int = 0
    stack: int = 0
    calls: set[str] = field(default_factory=set)


Nodes = dict[str, Node]
Masks = dict[str, int]
NONE: Masks = dict.fromkeys(SETS, 0) | {"OPTIMIZERS": 1} | dict.fromkeys(FLAGS, 0)
ALL: Masks = dict.fromkeys(SETS, (1 << 64) - 1) | {"OPTIMIZERS": 14} | dict.fromkeys(FLAGS, 1)


def run(*command: object) -> str:
    """Return what a command writes."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


class Bench:
    """Compiles and links the runtime for one core."""

    def __init__(self, core: Machine, folder: Path) -> None:
        self.core, self.folder = core, folder
        self.prefix = core.compiler.removesuffix("gcc")
        runtime = sources()
        self.files = {file.name: file for file in (runtime / "src").glob("*.c") if file.stem != "cohort"}
        self.command = [core.compiler, *core.flags, "-fstack-usage", f"-I{runtime / 'include'}"]
        # A file whose object no mask changes is compiled once, others once for what they depend on.
        self.fixed: dict[str, Path] = {}
        self.compiled: dict[tuple[str, ...], Path] = {}
        self.listed = cache(run)  # of objects and archives, which stay as they are
        self.members: dict[str, str] = {}  # the members of archives by the symbols that they define
        (folder / "all.ld").write_text(SCRIPT)

    def compile(self, masks: Masks, name: str) -> dict[str, Path]:
        """Return the object of each file, compiled with these operations."""
        out = self.folder / name
        out.mkdir()
        (out / "shoal_config.h").write_text(config(masks))
        objects = dict(self.fixed)
        for file, source in self.files.items():
            key = (file, *relevant(file, masks))
            if file not in objects and key not in self.compiled:
                self.compiled[key] = out / f"{source.stem}.o"
                run(*self.command, f"-I{out}", "-c", source, "-o", self.compiled[key])
            objects.setdefault(file, self.compiled.get(key, source))
        return objects

    def application(self, firmware: Firmware, name: str) -> dict[str, Path]:
        """Return the objects of an application."""
        out = self.folder / name.replace(" ", "-")  # the linker's map has no quotes
        for path, text in project_files(firmware, "cmake").items():
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_text(text)
        found = {}
        for stem in ("app", "golden", "sensor", *(["flash"] if firmware.learns else [])):
            found[f"{name}/{stem}.c"] = out / f"{stem}.o"
            run(
                *self.command,
                f"-I{out}/src",
                "-c",
                out / "src" / f"{stem}.c",
                "-o",
                found[f"{name}/{stem}.c"],
            )
        found[f"{name}/model.c"] = out / "model.o"
        run(*self.command, f"-I{out}/src", "-c", out / "src/model.c", "-o", out / "model.o")
        return found

    def nodes(self, objects: dict[str, Path]) -> Nodes:
        """Link objects and return what is in the program."""
        script, program, table = self.folder / "all.ld", self.folder / "all.elf", self.folder / "all.map"
        link = ["-nostartfiles", "-Wl,--no-gc-sections", "-Wl,-e0", f"-Wl,-Map={table}", "-T", script]
        run(self.core.compiler, *self.core.flags, *link, *objects.values(), "-o", program)
        found, archives = self.linked(objects, table.read_text())
        defined: dict[str, str] = {}
        for file, path in objects.items():
            self.refer(found, file, path, defined)
        for file, path in objects.items():
            self.stacks(found, file, path)
        self.libraries(found, archives, defined)
        for node in found.values():
            node.calls = {defined.get(call, call) for call in node.calls} & found.keys()
        return found

    def linked(self, objects: dict[str, Path], text: str) -> tuple[Nodes, set[str]]:
        """Return sizes from the linker's map, after relaxation, and the archives that it took from."""
        names = {str(path): file for file, path in objects.items()}
        inside = text.split("Linker script and memory map")[1]
        found: Nodes = defaultdict(Node)
        archives = set()
        pattern = r"^ \.((?:text|s?rodata|s?data)\S*)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s+(\S+)$"
        for section, size, path in re.findall(pattern, inside, re.MULTILINE):
            if path in names:
                key = f"{names[path]}:{plain(section)}"
            else:
                archive, member = re.fullmatch(r"(.*)\((.*)\)", path).groups()  # type: ignore[union-attr]
                archives.add(archive)
                key = f"{LIBRARY}{member}"
            found[key].size += -(-int(size, 16) // 4) * 4
        return found, archives

    def refer(self, found: Nodes, file: str, path: Path, defined: dict[str, str]) -> None:
        """Add what the sections of an object refer to, and note the symbols that it defines for others."""
        local = {}
        for line in self.listed(f"{self.prefix}objdump", "-t", "--special-syms", path).splitlines():
            if match := re.match(r"[0-9a-f]+ (.{7}) (\S+)\t[0-9a-f]+ (?:\.hidden )?(\S+)$", line):
                flags, section, symbol = match.groups()
                if section.startswith("."):
                    local[symbol] = f"{file}:{plain(section[1:])}"
                    if "g" in flags:
                        defined[symbol] = local[symbol]
        key = ""
        for line in self.listed(f"{self.prefix}objdump", "-r", path).splitlines():
            if line.startswith("RELOCATION"):
                key = f"{file}:{plain(line.split('[.')[1].rstrip(']:'))}"
            elif match := re.match(r"[0-9a-f]+ \S+\s+([^\s+-]\S*?)(?:[+-]0x[0-9a-f]+)?$", line):
                symbol = match[1]
                if key in found:
                    # A section, unless it is a label of the compiler's.
                    section = f"{file}:{plain(symbol[1:])}" if symbol.startswith(".") else symbol
                    found[key].calls.add(local.get(symbol, section))

    def stacks(self, found: Nodes, file: str, path: Path) -> None:
        """Add what each function takes of the stack."""
        for line in path.with_suffix(".su").read_text().splitlines():
            place, size, kind = line.split("\t")
            if kind != "static":
                sys.exit(f"a stack that is not known: {line}")
            name = place.rsplit(":", 1)[1]
            for key, node in found.items():
                if re.fullmatch(rf"{re.escape(file)}:text\.{re.escape(name)}(\.\d+)?", key):
                    node.stack = max(node.stack, int(size))

    def libraries(self, found: Nodes, archives: set[str], defined: dict[str, str]) -> None:
        """Add what the linked members of archives refer to."""
        for archive in sorted(archives):
            member = ""
            for line in self.listed(f"{self.prefix}nm", archive).splitlines():
                if line.endswith(".o:"):
                    member = f"{LIBRARY}{line[:-1]}"
                if member not in found or not line.strip() or line.endswith(":"):
                    continue
                kind, symbol = line.split()[-2:]
                found[member].stack = LIBRARY_STACK
                if kind == "U":
                    found[member].calls.add(symbol)
                elif kind in "TWVRD":
                    defined.setdefault(symbol, member)
                    self.members.setdefault(symbol, member)

    def checks(self, masks: Masks) -> int:
        """Return the bytes of the checks of an image as compiled, before the linker makes them shorter."""
        folder = self.folder / "checks"
        folder.mkdir(exist_ok=True)
        path = self.compiled.get((CHECKS, *relevant(CHECKS, masks)), folder / "image.o")
        if path.parent == folder:
            (folder / "shoal_config.h").write_text(config(masks))
            run(*self.command, f"-I{folder}", "-c", self.files[CHECKS], "-o", path)
        lines = run(f"{self.prefix}size", "-A", path).splitlines()
        sections = [line.split()[:2] for line in lines if line.startswith((".text", ".rodata", ".srodata"))]
        return sum(-(-int(size) // 4) * 4 for name, size in sections if plain(name[1:]) != UNUSED)

    def entries(self, file: str) -> dict[str, list[str]]:
        """Return what one operation alone makes a file call, by the operation."""
        folder, source = self.folder / "entry", self.files[file]
        folder.mkdir(exist_ok=True)

        def called(**chosen: int) -> set[str]:
            (folder / "shoal_config.h").write_text(config(NONE | chosen))
            run(*self.command, f"-I{folder}", "-c", source, "-o", folder / "entry.o")
            return set(run(f"{self.prefix}nm", "-u", folder / "entry.o").split())

        found = {}
        for kind, what in (("", {"BYTES": 1}), ("FIXED ", {"FIXED": 1, "INT16": 1})):
            always = called(**what)
            for name, codes in CODES.items():
                if not kind or name.startswith("QUANTIZED"):
                    for code in codes:
                        found[f"{kind}{name}.{code}"] = sorted(called(**what, **{name: 1 << code}) - always)
        return found


def plain(section: str) -> str:
    """Return the name of a section without what tells that its function runs seldom."""
    return section.replace("text.unlikely.", "text.", 1)


def config(masks: Masks) -> str:
    """Return the header that says which operations are compiled in."""
    return "".join(f"#define SHOAL_{name} {value_of(name, bits)}\n" for name, bits in masks.items())


def reference() -> dict[str, Firmware]:
    """Return the applications that are measured: those that learn and that do not, on floats and integers."""
    layers = [nn.Dense(2), nn.Softmax()]
    network = nn.Network(layers, input_shape=(4,), loss="cross_entropy", seed=0)
    on_integers = learn.quantize(network, np.eye(4)).train_last(1, on_integers=True)
    found = {}
    for one in (network, on_integers):
        for optimizer in (learn.SGD(), None):
            firmware = Firmware("reference", one, board("nano33ble"), optimizer)
            found[application(firmware)] = firmware
    return found


def shapes() -> list[tuple[int, int, int, int]]:
    """Return how many operations of each set a network may have: 0, 1, or 2 for several."""
    found = []
    for shape in itertools.product((0, 1, 2), (0, 1), (0, 1, 2), (0, 1, 2)):
        floats, backward, quantized, integers = shape
        learns = backward or integers
        if (
            floats + quantized > 0
            and integers <= quantized
            and (floats > 0 or not learns)
            and (floats > 1 or not backward)
        ):
            found.append(shape)
    return found


def some(rng: random.Random, codes: Collection[int], count: int) -> set[int]:
    """Draw so many operations, where 2 are several."""
    return set(rng.sample(sorted(codes), count if count < 2 else rng.randint(2, max(2, len(codes) * 2 // 3))))


def bits(**chosen: Collection[int]) -> Masks:
    """Return a bit for each operation."""
    return {name: sum(1 << code for code in codes) for name, codes in chosen.items()}


def drawn(shape: tuple[int, int, int, int], rng: random.Random) -> Masks:
    """Draw the operations of a network with so many of each set."""
    floats, backward, quantized, integers = shape
    learns = backward or integers
    losses = some(rng, (Code.MSE, Code.BCE, Code.CROSS_ENTROPY), 1) if learns else set()
    back = some(rng, BACKWARD_CODES, rng.randint(1, 7)) | {Code.DENSE} if backward else set()
    forward = [code for code in FLOAT_FILES if code < Code.MSE]
    operations = losses | back | (some(rng, forward, floats) if floats > len(losses) else set())
    on_integers = some(rng, QUANTIZED_FILES, quantized)
    return NONE | bits(
        OPERATIONS=operations,
        BACKWARD=back,
        QUANTIZED=on_integers,
        QUANTIZED_BACKWARD=some(rng, QUANTIZED_BACKWARD_CODES, integers),
        OPTIMIZERS={0} if not learns else {1} if integers else some(rng, (1, 2, 3), 1),
        BYTES={0} if quantized else set(),
        UINT8={0} if quantized and not integers and rng.random() < 0.3 else set(),
        INT16={0} if on_integers & WIDE or Code.REQUANTIZE in operations else set(),
    )


def in_fixed_point() -> list[Masks]:
    """Return the operations of networks on int16."""
    dense, relu, softmax = Code.DENSE, Code.RELU, Code.SOFTMAX
    found = []
    for forward in ({dense}, {dense, relu}, {dense, softmax}, {dense, relu, softmax}):
        found.append(NONE | bits(QUANTIZED=forward, FIXED={0}, INT16={0}))
        loss = Code.CROSS_ENTROPY if softmax in forward else Code.MSE
        back = forward - {softmax}
        one = bits(QUANTIZED=forward | {loss}, QUANTIZED_BACKWARD=back, OPTIMIZERS={1}, FIXED={0}, INT16={0})
        found.append(NONE | one)
    return found


def measure(core: str) -> dict[str, dict[str, Any]]:
    """Return the table of one core."""
    rng = random.Random(0)  # noqa: S311 - not a secret
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(machine(core), Path(folder))
        full = bench.compile(ALL, "all")
        others = [bench.compile(NONE | {"OPTIMIZERS": kept}, f"none{kept}") for kept in (1, 2)]
        bench.fixed = {
            file: path
            for file, path in full.items()
            if all(other[file].read_bytes() == path.read_bytes() for other in others)
        }
        nodes: Nodes = {}
        for name, firmware in reference().items():
            nodes |= bench.nodes(full | bench.application(firmware, name))
        choices = [drawn(shape, rng) for shape in shapes() for _ in range(DRAWN)] + in_fixed_point()
        variants = [bench.nodes(bench.compile(masks, f"drawn{i}")) for i, masks in enumerate(choices)]
        more = [drawn(shape, rng) for shape in shapes() for _ in range(CHECKED[shape[2] > 0])]
        more += in_fixed_point()
        compiled = [bench.checks(masks) for masks in more]
        linked = sum(checks_in(found) for found in variants)
        shorter = linked / sum(bench.checks(masks) for masks in choices)
        entries, checked = bench.entries("execute.c"), bench.entries(CHECKS)
    for caller, called in INDIRECT.items():
        nodes[caller].calls.add(called)
    changed = {key for found in variants for key in found if is_changed(key, set(bench.fixed))}
    chosen = [features(masks) for masks in choices]
    fitted = fit(core, chosen, variants, sorted(key for key in changed if not key.startswith(CHECKS)))
    fitted[CHECKS] = fit_checks(core, [checks(masks) for masks in more], shorter * np.array(compiled))
    named = [[*features(masks), checks(masks)[0]] for masks in choices]
    calls = conditions(named, variants, sorted(changed), nodes)
    dispatch(entries, calls, nodes)
    for feature, symbols in checked.items():
        # Alone an operation may be checked otherwise than among others.
        seen = [
            called_by_checks(found) for names, found in zip(named, variants, strict=True) if feature in names
        ]
        members = [bench.members[symbol] for symbol in symbols if symbol in bench.members]
        if sure := [member for member in members if all(member in one for one in seen)]:
            calls.setdefault(feature, {}).setdefault(CHECKS_ROOT, []).extend(sure)
    rest = {key: [node.size, node.stack, sorted(node.calls)] for key, node in sorted(nodes.items())}
    return {"nodes": rest, "fitted": fitted, "calls": calls}


def is_changed(key: str, fixed: set[str]) -> bool:
    """Tell whether a function is in a file that the choice of operations changes."""
    return not key.startswith(LIBRARY) and key.partition(":")[0] not in fixed


def checks_in(nodes: Nodes) -> int:
    """Return the bytes of the checks of an image in a program."""
    return sum(
        node.size for key, node in nodes.items() if key.startswith(f"{CHECKS}:") and not key.endswith(UNUSED)
    )


def called_by_checks(nodes: Nodes) -> set[str]:
    """Return what the checks of an image refer to in a program."""
    return {call for key, node in nodes.items() if key.startswith(f"{CHECKS}:") for call in node.calls}


def fit(
    core: str, chosen: list[list[str]], variants: list[Nodes], changed: list[str]
) -> dict[str, dict[str, float]]:
    """Fit the size of each function that the choice changes."""
    fitted = {}
    off = np.zeros(len(variants))
    for key in changed:
        sizes = np.array([found[key].size if key in found else 0.0 for found in variants])
        pattern = re.compile(depends(key.partition(":")[0]))
        fitted[key], errors = regressed(
            [[name for name in names if pattern.fullmatch(name)] for names in chosen], sizes
        )
        off += errors
    print(f"{core}: {len(changed)} functions fitted, together {np.abs(off).max():.0f} B off at most")
    return fitted


def fit_checks(core: str, chosen: list[list[str]], sizes: NDArray[np.float64]) -> dict[str, float]:
    """Fit the size of the checks of an image."""
    fitted, errors = regressed(chosen, sizes)
    worst, mean = np.abs(errors).max(), sizes.mean()
    print(f"{core}: checks of {len(sizes)} choices, {mean:.0f} B in the mean, {worst:.0f} B off at most")
    return fitted


def regressed(
    chosen: list[list[str]], sizes: NDArray[np.float64]
) -> tuple[dict[str, float], NDArray[np.float64]]:
    """Return what each feature adds, by least squares drawn a little to 0, and how far that is off."""
    names = sorted({name for names in chosen for name in names})
    design = np.array([[1.0, *(float(name in one) for name in names)] for one in chosen])
    weights = np.full(design.shape[1], 0.05)
    weights[0] = 0
    found = np.linalg.solve(design.T @ design + np.diag(weights), design.T @ sizes)
    rounded = np.round(found, 1)
    named = zip(["", *names], rounded, strict=True)
    return {name: float(value) for name, value in named if value != 0}, design @ rounded - sizes


def conditions(
    chosen: list[list[str]], variants: list[Nodes], changed: list[str], nodes: Nodes
) -> dict[str, dict[str, list[str]]]:
    """Return what a function calls when an operation is chosen; what it always calls goes to the nodes.

    The stack of a function that the choice changes is the largest that was seen.
    """
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for key in changed:
        node = nodes[key] = Node()
        seen = [variant.get(key, node) for variant in variants]
        node.stack = max(one.stack for one in seen)
        for called in sorted(set().union(*(one.calls for one in seen))):
            calls = {i for i, one in enumerate(seen) if called in one.calls}
            # A function beside it in its file is there or became a part of it: its size tells.
            if len(calls) == len(seen) or called.partition(":")[0] == key.partition(":")[0]:
                node.calls.add(called)
            elif not (key.startswith(CHECKS) and called.startswith(LIBRARY)):  # these are known by operation
                for name in causes(chosen, calls, key):
                    found[name][key].append(called)
    return {name: dict(entry) for name, entry in sorted(found.items())}


def dispatch(entries: dict[str, list[str]], calls: dict[str, dict[str, list[str]]], nodes: Nodes) -> None:
    """Say which operation makes execute.c call which function, as compiled one by one."""
    names = {key.rpartition("text.")[2]: key for key in nodes}
    by_operation = {names[symbol] for symbols in entries.values() for symbol in symbols if symbol in names}
    callers = [key for key in nodes if key.startswith("execute.c") and nodes[key].calls & by_operation]
    for entry in calls.values():
        for key in [key for key in entry if key.startswith("execute.c")]:
            entry[key] = [called for called in entry[key] if called not in by_operation]
    for key in callers:
        nodes[key].calls -= by_operation
    for feature, symbols in entries.items():
        # Which of its functions calls does not matter: all are there when one is.
        for symbol in symbols:
            if symbol in names:
                root = ROOTS["BACKWARD" in feature]
                calls.setdefault(feature, {}).setdefault(root, []).append(names[symbol])


def causes(chosen: list[list[str]], calls: set[int], key: str) -> list[str]:
    """Return the fewest features that explain in which of the choices a function calls another."""
    places: dict[str, set[int]] = defaultdict(set)
    for i, names in enumerate(chosen):
        for name in names:
            if name[0].isdigit() == key.startswith(CHECKS):
                places[name].add(i)
    sure = {name: where for name, where in places.items() if where <= calls}
    found = []
    while calls and sure:
        best = max(sorted(sure), key=lambda name: len(sure[name] & calls))
        if not sure[best] & calls:
            break
        found.append(best)
        calls = calls - sure[best]
    return found


def main() -> int:
    """Write the table and return the exit status."""
    wanted = sys.argv[1:] or cores()
    file = Path(__file__).parents[1] / "src" / "shoal" / "build" / "code.json"
    table = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(dump({core: found for core, found in table.items() if core not in wanted}))
    with ThreadPoolExecutor(2) as pool:
        for core, found in zip(wanted, pool.map(measure, wanted), strict=True):
            table[core] = found
            file.write_text(dump(table))
    return 0


def dump(table: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Return the table as JSON, a line for each function."""

    def lines(entries: dict[str, Any]) -> str:
        rows = (
            f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in entries.items()
        )
        return "{\n" + ",\n".join(rows) + "\n}"

    def cores_of(parts: dict[str, dict[str, Any]]) -> str:
        return "{\n" + ",\n".join(f'"{name}": {lines(entries)}' for name, entries in parts.items()) + "\n}"

    return (
        "{\n" + ",\n".join(f'"{core}": {cores_of(parts)}' for core, parts in sorted(table.items())) + "\n}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
