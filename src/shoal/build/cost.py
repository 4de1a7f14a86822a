"""Instructions of a call, operation by operation, from counts on emulated cores."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from shoal.build.golden import SAMPLES, STEPS, drawn_sample, drawn_target
from shoal.build.selection import is_fixed
from shoal.build.work import Arithmetic, call_work, work
from shoal.build.zeros import zeros_of
from shoal.nn.graph import BACKWARD, QUANTIZED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.build.firmware import Firmware
    from shoal.build.zeros import Share
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
    zeros = drawn_zeros(firmware) if depends_on_data(firmware.plan, core) else ()
    predict = priced(costs, total_work(firmware.plan, core, zeros, learning=False))
    if not firmware.learns:
        return None if predict is None else Instructions(predict, None)
    learn = priced(costs, total_work(firmware.plan, core, zeros, learning=True))
    return None if predict is None or learn is None else Instructions(predict, learn)


def depends_on_data(plan: Plan, core: str) -> bool:
    """Tell whether a core takes less where a value is 0."""
    floats = ARITHMETIC.get(core, Arithmetic()).floats
    return any(
        is_fixed(plan, one) or (one.code >= QUANTIZED + BACKWARD if one.code >= QUANTIZED else not floats)
        for one in plan.operations
    )


def drawn_zeros(firmware: Firmware) -> list[Share]:
    """Return the share of zeros when a firmware learns from the samples of its golden vectors."""
    drawn = range(SAMPLES + STEPS)
    samples = [drawn_sample(firmware, i) for i in drawn]
    if firmware.optimizer is None:
        return zeros_of(firmware.plan, samples)
    targets = [drawn_target(firmware, i) for i in drawn]
    return zeros_of(firmware.plan, samples, targets, firmware.optimizer.phase())


def priced(costs: Mapping[str, float], pieces: Mapping[str, int]) -> int | None:
    """Return the instructions of work; None where a piece has no price."""
    if not pieces.keys() <= costs.keys():
        return None
    return round(sum(costs[piece] * count for piece, count in pieces.items()))


def total_work(plan: Plan, core: str, zeros: Sequence[Share] = (), *, learning: bool) -> Counter[str]:
    """Return all work of a call, that before and after the operations included."""
    pieces = Counter({"learn" if learning else "predict": 1}) + call_work(plan)
    for _, more in work(plan, ARITHMETIC.get(core, Arithmetic()), zeros, learning=learning):
        pieces += more
    return pieces
