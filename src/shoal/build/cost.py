"""Instructions of a call, operation by operation, from counts on emulated cores."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from shoal.build.work import Arithmetic, call_work, work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.build.firmware import Firmware
    from shoal.nn import Plan

__all__ = ["CYCLES", "Instructions", "instructions", "total_work"]

# Cycles for one instruction, assumed: code and data without wait states. The emulator counts no cycles.
CYCLES = {
    "cortex-m0+": 1.5,
    "cortex-m3": 1.4,
    "cortex-m4f": 1.4,
    "cortex-m7": 1.0,
    "cortex-m33": 1.3,
    "cortex-m55": 1.2,
    "rv32imc": 1.4,
    "rv32imac": 1.4,
    "rv32imafc": 1.4,
}
ARITHMETIC = {
    "cortex-m0+": Arithmetic(pairs=False, floats=False),
    "cortex-m3": Arithmetic(pairs=False, floats=False),
    "rv32imc": Arithmetic(pairs=False, floats=False),
    "rv32imac": Arithmetic(pairs=False, floats=False),
    "rv32imafc": Arithmetic(pairs=False),
}


@dataclass(frozen=True, slots=True)
class Instructions:
    """Instructions of a call.

    Parameters
    ----------
    predict
        Of ``shoal_predict()``.
    learn
        Of ``shoal_learn()``; None where nothing learns.
    """

    predict: int
    learn: int | None


@cache
def table() -> dict[str, dict[str, float]]:
    """Return the instructions of each piece of work by core."""
    found: dict[str, dict[str, float]] = json.loads(
        (resources.files("shoal.build") / "cost.json").read_text(encoding="utf-8")
    )
    return found


def instructions(firmware: Firmware) -> Instructions | None:
    """Return the instructions of a call; None where the core or an operation was not measured."""
    core = firmware.board.core
    costs = table().get(core)
    if costs is None:
        return None
    predict = priced(costs, total_work(firmware.plan, core, learning=False))
    if not firmware.learns:
        return None if predict is None else Instructions(predict, None)
    learn = priced(costs, total_work(firmware.plan, core, learning=True))
    return None if predict is None or learn is None else Instructions(predict, learn)


def priced(costs: Mapping[str, float], pieces: Mapping[str, int]) -> int | None:
    """Return the instructions of work; None where a piece has no price."""
    if not pieces.keys() <= costs.keys():
        return None
    return round(sum(costs[piece] * count for piece, count in pieces.items()))


def total_work(plan: Plan, core: str, *, learning: bool) -> Counter[str]:
    """Return all work of a call, that before and after the operations included."""
    pieces = Counter({"learn" if learning else "predict": 1}) + call_work(plan)
    for _, more in work(plan, ARITHMETIC.get(core, Arithmetic()), learning=learning):
        pieces += more
    return pieces
