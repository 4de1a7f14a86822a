"""Fits what each piece of work takes to counted calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shoal.build.work import ZERO

if TYPE_CHECKING:
    from benchmarks.cost.count import Count

PULL = 1e-2  # towards 0, for what the equations do not decide


def fit(found: list[Count]) -> dict[str, float]:
    """Return the instructions of each piece of work, by least squares on the relative error.

    None are below 0 but those of what is done with 0, which saves instructions.
    """
    names = sorted({name for count in found for name in count.work})
    work = np.array([[count.work[name] for name in names] for count in found], float)
    relative = work / np.array([[count.instructions] for count in found])
    scale = relative.max(axis=0)  # each piece counts by its largest share of a call
    scale[[name.endswith(ZERO) for name in names]] *= -1  # these save instructions
    design = relative / scale
    squares = design.T @ design + PULL**2 * np.eye(len(names))
    sums = design.sum(axis=0)  # a sum of shares should be 1
    kept = np.arange(len(names))
    while True:
        solution = np.linalg.solve(squares[np.ix_(kept, kept)], sums[kept])
        if solution.min() >= 0:
            break
        kept = kept[solution > solution.min()]  # what is furthest below 0 becomes 0
    prices = np.zeros(len(names))
    prices[kept] = solution / scale[kept]
    return {name: float(f"{price:.5g}") for name, price in zip(names, prices, strict=True)}


def guess(costs: dict[str, float], count: Count) -> float:
    """Return the instructions of a call by a table of costs."""
    return sum(costs[name] * times for name, times in count.work.items())
