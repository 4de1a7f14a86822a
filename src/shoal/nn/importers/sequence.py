"""Finds the sequence of layers, with its residual connections, in steps that know only their sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from shoal.nn.importers.draft import Step
from shoal.nn.importers.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Fork", "Item", "sequence_of"]

DEEPEST = 12


@dataclass(frozen=True, slots=True, eq=False)
class Fork:
    """The sum of two ways from one value."""

    branch: list[Item]
    shortcut: list[Item]
    step: Step


Item: TypeAlias = Step | Fork


def sequence_of(steps: Sequence[Step], output: int) -> list[Item]:
    """Return the steps from the sample to the output, each sum as a fork.

    A sum forks at the last value that both of its ways come through, its immediate dominator.

    Parameters
    ----------
    steps
        In order of execution, the sample first; all sources of a step come before it.
    output
        Number of the step that gives the answer.

    Raises
    ------
    ModelError
        Where ways meet that did not part from one value, or forks lie in each other more than 12 deep.
    """
    above = [0] * len(steps)
    depth = [0] * len(steps)
    for number, step in enumerate(steps[1:], 1):
        a, b = step.sources[0], step.sources[-1]
        while a != b:
            a, b = (above[a], b) if depth[a] > depth[b] else (a, above[b])
        above[number], depth[number] = a, depth[a] + 1

    seen: set[int] = set()

    def walk(start: int, end: int, level: int) -> list[Item]:
        if level > DEEPEST:
            raise ModelError(f"sums lie in each other more than {DEEPEST} deep", where=steps[end].where)
        items: list[Item] = []
        while end != start:
            step = steps[end]
            if end in seen:
                raise ModelError(
                    f"what {step.where} gives is used in two ways that do not meet in one sum",
                    hint="blocks that follow each other or lie in each other",
                )
            seen.add(end)
            if step.layer is None:
                ways = [walk(above[end], source, level + 1) for source in step.sources]
                branch, shortcut = sorted(ways, key=len, reverse=True)
                items.append(Fork(branch, shortcut, step))
            else:
                items.append(step)
            end = above[end]
        return items[::-1]

    return walk(0, output, 0)
