"""What the figures should reach, and whether they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.result import Result


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on a figure of `who`, or on its ratio to the same figure of `than`.

    With `at_most` the worst setting counts, without it the best one does.
    """

    case: str
    who: str
    than: str
    bound: float
    figure: str = "rate"
    at_most: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target and what was measured: None where a side has no figure."""

    target: Target
    value: float | None
    met: bool | None


TARGETS = (
    Target("mlp", "shoal lanes", "", 180_000),
    Target("mlp", "shoal width 1", "", 50_000),
    Target("mlp", "shoal serial", "", 50_000),
    Target("mlp", "shoal lanes", "jax vmap+scan", 3),
    Target("mlp", "shoal lanes", "numpy batched", 10),
    Target("mlp", "shoal lanes", "torch.func vmap", 30),
    Target("conv 32", "shoal lanes", "torch eager", 5),
    Target("conv 32", "shoal lanes", "jax vmap+scan", 1),
    Target("conv 32", "shoal width 1", "torch eager", 1),
    Target("conv 16", "shoal lanes", "torch eager", 5),
    Target("conv 16", "shoal lanes", "jax vmap+scan", 1),
    Target("conv 16", "shoal width 1", "torch eager", 1),
    Target("scale", "kept", "", 64, figure="beyond", at_most=True),
)


def judge(results: Sequence[Result]) -> list[Verdict]:
    """A verdict for each target whose case was run."""
    cases = {result.case for result in results}
    verdicts = []
    for target in TARGETS:
        if target.case not in cases:
            continue
        value = extreme(results, target, target.who)
        if target.than and value is not None:
            other = extreme(results, target, target.than)
            value = None if other is None else value / other
        met = None if value is None else value <= target.bound if target.at_most else value >= target.bound
        verdicts.append(Verdict(target, value, met))
    return verdicts


def extreme(results: Sequence[Result], target: Target, contender: str) -> float | None:
    """The largest figure of a contender over its settings: the best rate, or the worst cost."""
    figures = [
        result.values[target.figure]
        for result in results
        if (result.case, result.contender) == (target.case, contender) and result.values
    ]
    return max(figures, default=None)
