"""Instructions of a call, operation by operation, from counts on emulated cores."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from shoal.build.work import call_work, work

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
    """Return the instructions of a call; None where the core was not measured."""
    costs = table().get(firmware.board.core)
    if costs is None:
        return None
    plan = firmware.plan
    predict = priced(costs, "predict", plan, learning=False)
    learn = priced(costs, "learn", plan, learning=True) if firmware.learns else None
    return Instructions(predict, learn)


def priced(costs: Mapping[str, float], call: str, plan: Plan, *, learning: bool) -> int:
    """Return the instructions of one call."""
    pieces = total_work(call, plan, learning=learning)
    return round(sum(costs.get(piece, 0.0) * count for piece, count in pieces.items()))


def total_work(call: str, plan: Plan, *, learning: bool) -> Counter[str]:
    """Return all work of a call, its own included."""
    pieces = Counter({call: 1}) + call_work(plan)
    for _, more in work(plan, learning=learning):
        pieces += more
    return pieces
