"""One contender on one problem: is it right, and how fast is it?"""

from __future__ import annotations

import importlib
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import isolate, reference
from benchmarks.problem import PROBLEMS
from benchmarks.result import Effort, Result
from benchmarks.timing import rates

if TYPE_CHECKING:
    from benchmarks.problem import Program

# Largest distance of a final weight from float64. Peers may reorder sums and contract products.
TOLERANCE = {"shoal_runtime": 1e-4, "numpy_batched": 1e-4}
PEER_TOLERANCE = 1e-3
CHECKED = 4


def main(argument: dict[str, Any]) -> dict[str, float]:
    """Visits per second of a contender, and its largest error; called in a process of its own."""
    problem = PROBLEMS[argument["problem"]](**argument["size"])
    module = importlib.import_module(f"benchmarks.contenders.{argument['contender']}")
    program: Program = module.prepare(problem, **argument["options"])
    begin = time.perf_counter()
    first = program.run()
    values = {"first_call_s": time.perf_counter() - begin}
    checked = min(CHECKED, problem.devices)
    ends = program.ends(first)
    if ends.shape != (problem.devices, problem.network.parameters.size):
        raise RuntimeError(f"{argument['contender']} kept final weights of shape {ends.shape}")
    values["error"] = float(np.abs(ends[:checked] - reference.final_weights(problem, checked)).max())
    limit = TOLERANCE.get(argument["contender"], PEER_TOLERANCE)
    if not values["error"] <= limit:
        raise RuntimeError(f"{argument['contender']} is off by {values['error']:.2g}, allowed is {limit:g}")
    return rates(program.run, problem.devices, Effort(**argument["effort"])) | values


def measure(
    case: str,
    contender: str,
    setting: str,
    argument: dict[str, Any],
    env: dict[str, str] | None = None,
) -> Result:
    """Run `main` in a process of its own, and put a name to its figures."""
    try:
        return Result(case, contender, setting, isolate.call("benchmarks.compete", argument, env))
    except isolate.Skipped as reason:
        return Result(case, contender, setting, missing=str(reason))
