"""Code of the runtime in flash, and the stack that it takes: from what each function was measured to have."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from shoal.build.selection import CALLED, FIXED_FILES, FLOAT_FILES, QUANTIZED_FILES, SETS, masks
from shoal.nn.graph import Code as Operation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.build.firmware import Firmware

__all__ = [
    "CHECKS",
    "LIBRARY",
    "Code",
    "application",
    "checks",
    "code",
    "deepest_stack",
    "depends",
    "features",
    "relevant",
]

LIBRARY = "library:"  # how the names of what the compiler brings begin
# Parts of libraries of which the first has all that the second has; where it is linked, the second is not.
TWICE = {"library:_arm_muldivsf3.o": "library:_arm_mulsf3.o"}
# Files that compute operations; losses are with what every image needs.
OPERATIONS = {
    *FLOAT_FILES.values(),
    *QUANTIZED_FILES.values(),
    *FIXED_FILES.values(),
    *(file for called in CALLED.values() for file in called),
    "quantized_backward.c",
    "product.c",
} - {"loss.c", "fixed_loss.c"}

# Operations whose checks share the most, and those that have hardly any.
WINDOWS = sum(1 << code for code in range(Operation.CONV2D, Operation.ADD))
PLAIN = (
    sum(1 << code for code in (Operation.DENSE, *range(Operation.RELU, Operation.SOFTMAX)))
    | 7 << Operation.MSE
)
CONVERSIONS = 1 << Operation.QUANTIZE | 1 << Operation.DEQUANTIZE | 1 << Operation.REQUANTIZE
REMEMBERING = 1 << Operation.SVDF | 1 << Operation.LSTM
CHECKS = "image.c"
# What the code of a file depends on: every operation, types, or some operations too.
EVERYTHING = {"execute.c", CHECKS}
TYPES = r"integers|memory|(UINT8|INT16)\.0"
DEPENDS = {
    "activation.c": r"(OPERATIONS|BACKWARD)\.(6|7|8|9|10|11|12)",
    "dense.c": r"OPTIMIZERS\.\d+",
    "loss.c": r"OPERATIONS\.3[234]",
    "optimizer.c": r"OPTIMIZERS\.\d+",
}


@dataclass(frozen=True, slots=True)
class Code:
    """What a firmware's code takes, compiled with -O2.

    Parameters
    ----------
    operations
        Bytes of the operations that the image uses.
    runtime
        Bytes of what every image needs: checks, execution, losses, optimizers, the state and its store.
    library
        Bytes of the compiler's own functions, such as arithmetic on floats where the core has none.
    application
        Bytes of the loop with its golden vectors, without those that the image decides.
    stack
        Bytes of the stack at most, below what calls the application.
    """

    operations: int
    runtime: int
    library: int
    application: int
    stack: int


@cache
def tables() -> dict[str, Any]:
    """Return the measured functions by core."""
    found: dict[str, Any] = json.loads(
        (resources.files("shoal.build") / "code.json").read_text(encoding="utf-8")
    )
    return found


def code(firmware: Firmware) -> Code | None:
    """Return what the code of a firmware takes; None where its core was not measured.

    Functions that the application reaches are there, and no others, as the linker decides.
    """
    table = tables().get(firmware.board.core, {"nodes": {}})
    begin = f"{application(firmware)}/app.c:text.app_"
    roots = [name for name in table["nodes"] if name.startswith(begin)]
    if not roots:
        return None
    chosen = features(masks(firmware.plan))
    checked = checks(masks(firmware.plan))
    sizes = sized(table, chosen, checked)
    called = reached(table, [*chosen, checked[0]])
    stacks = {name: node[1] for name, node in table["nodes"].items()}
    depths: dict[str, int] = {}
    deepest = max(depth(root, stacks, called, depths) for root in roots)
    for whole, part in TWICE.items():
        if whole in depths:
            depths.pop(part, None)
    parts = {"operations": 0.0, "runtime": 0.0, "library": 0.0, "application": 0.0}
    for name in depths:
        # The image decides its own size; the checks are one entry, since they are all there or not.
        if not name.startswith((f"{application(firmware)}/model.c", f"{CHECKS}:")):
            parts[part_of(name)] += sizes[name]
    parts["runtime"] += sizes[CHECKS]
    return Code(**{name: round(size) for name, size in parts.items()}, stack=deepest)


def application(firmware: Firmware) -> str:
    """Return which of the measured applications a firmware has."""
    kind = "floats" if firmware.plan.input_type == "float32" else "integers"
    return f"{'learns' if firmware.learns else 'answers'} {kind}"


def deepest_stack() -> int:
    """Return the most that any function of the runtime was measured to need on any core, calls included."""
    most = 0
    for table in tables().values():
        stacks = {name: node[1] for name, node in table["nodes"].items()}
        depths: dict[str, int] = {}
        called = reached(table, list(table["calls"]))
        most = max(most, *(depth(name, stacks, called, depths) for name in table["nodes"]))
    return most


def sized(table: dict[str, Any], chosen: Sequence[str], checked: Sequence[str]) -> dict[str, float]:
    """Return the bytes of each function, compiled for the chosen operations."""
    sizes = {name: float(node[0]) for name, node in table["nodes"].items()}
    for name, parts in table["fitted"].items():
        depends = checked if name == CHECKS else chosen
        sizes[name] = max(0.0, sum(parts.get(feature, 0.0) for feature in ("", *depends)))
    return sizes


def reached(table: dict[str, Any], chosen: Sequence[str]) -> dict[str, list[str]]:
    """Return what each function calls, compiled for the chosen operations."""
    calls = {name: list(node[2]) for name, node in table["nodes"].items()}
    for feature in chosen:
        for name, more in table["calls"].get(feature, {}).items():
            calls[name] += more
    return calls


def features(chosen: Mapping[str, int]) -> list[str]:
    """Return what the sizes of the functions that compute and dispatch depend on: each operation.

    Parameters
    ----------
    chosen
        A bit for each operation, by set.

    Examples
    --------
    >>> features({"OPERATIONS": 1 << 2 | 1 << 33, "BACKWARD": 1 << 2})
    ['OPERATIONS.2', 'OPERATIONS.33', 'BACKWARD.2']
    """
    found = []
    for name, bits in chosen.items():
        if name not in {"FIXED", "BYTES"}:
            # An operation on int16 has the bit of the one on bytes.
            kind = f"FIXED {name}" if chosen.get("FIXED") and name.startswith("QUANTIZED") else name
            found += [f"{kind}.{bit}" for bit in range(64) if bits >> bit & 1]
    operations, quantized = chosen.get("OPERATIONS", 0), chosen.get("QUANTIZED", 0)
    if operations & CONVERSIONS or quantized or chosen.get("QUANTIZED_BACKWARD"):
        found.append("integers")
    if operations & REMEMBERING or quantized & REMEMBERING:
        found.append("memory")
    return found


def relevant(file: str, chosen: Mapping[str, int]) -> list[str]:
    """Return what of a choice of operations decides how a file is compiled.

    Examples
    --------
    >>> chosen = {"OPERATIONS": 1 << 2 | 1 << 17 | 1 << 33, "BACKWARD": 1 << 2}
    >>> relevant("loss.c", chosen), relevant("conv2d.c", chosen)
    (['OPERATIONS.33', 'integers'], ['integers'])
    """
    if file in EVERYTHING:
        return [f"{name} {bits}" for name, bits in chosen.items()]
    return [name for name in features(chosen) if re.fullmatch(depends(file), name)]


def depends(file: str) -> str:
    """Return the pattern of the features that the code of a file depends on."""
    return ".*" if file in EVERYTHING else f"{DEPENDS.get(file, TYPES)}|{TYPES}"


def checks(chosen: Mapping[str, int]) -> list[str]:
    """Return what the size of the checks depends on: how many operations, which, and what they share.

    Examples
    --------
    >>> checks({"OPERATIONS": 1 << 2 | 1 << 33, "BACKWARD": 1 << 2})
    ['2 OPERATIONS, 1 BACKWARD, 0 QUANTIZED, 0 QUANTIZED_BACKWARD, 0 FIXED', 'OPERATIONS.2',
    'OPERATIONS.33', 'BACKWARD.2', 'windows of OPERATIONS', 'shapes of OPERATIONS', 'windows of BACKWARD']
    """
    most = {"BACKWARD": 1}
    counts = [f"{min(chosen.get(name, 0).bit_count(), most.get(name, 2))} {name}" for name in SETS]
    category = ", ".join([*counts, f"{int(bool(chosen.get('FIXED')))} FIXED"])
    found = features(chosen)
    for name in ("OPERATIONS", "BACKWARD"):
        bits = chosen.get(name, 0)
        found += [f"windows of {name}"] if bits & WINDOWS else []
        found += ["shapes of OPERATIONS"] if name == "OPERATIONS" and bits & ~PLAIN else []
    # Beside integers the compiler shares other parts of the checks.
    return [category, *(f"{name}, beside integers" if chosen.get("QUANTIZED") else name for name in found)]


def depth(name: str, stacks: dict[str, int], calls: dict[str, list[str]], known: dict[str, int]) -> int:
    """Return the bytes of the stack from a function on, and note them for every function on the way."""
    if name not in known:
        known[name] = stacks.get(name, 0)  # nothing of the runtime is recursive; a library's loop ends here
        known[name] += max((depth(called, stacks, calls, known) for called in calls.get(name, ())), default=0)
    return known[name]


def part_of(name: str) -> str:
    """Return which part of the code a function belongs to."""
    if name.startswith(LIBRARY):
        return "library"
    file = name.partition(":")[0]
    if "/" in file:
        return "application"
    return "operations" if file in OPERATIONS else "runtime"
