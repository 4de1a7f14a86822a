"""The table of adaptation, in the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from shoal.cli import console
from shoal.cli.judged import LABELS

if TYPE_CHECKING:
    from shoal.cli.judged import Judged

__all__ = ["bar", "show", "value"]

CELLS = 24


def show(judged: Judged, title: str) -> None:
    """Write what new devices reach after each number of steps.

    A bar shows the accuracy, a mark in it that of learning from scratch.
    """
    percent = judged.metric == "accuracy"
    curves = judged.curves()
    scale = [f"0{'100':>{CELLS - 1}}"] if percent else []
    columns = ["steps", *(LABELS[name] for name in curves), *scale]
    rows = []
    for i, steps in enumerate(judged.learnt.steps):
        cells = [value(mean[i], interval[i], percent=percent) for mean, interval in curves.values()]
        drawn = [bar(curves["learnt"][0][i], curves["from_scratch"][0][i])] if percent else []
        rows.append((f"{steps}", *cells, *drawn))
    console.table(title, columns, rows, left=(len(columns) - 1,) if percent else ())


def value(mean: float, interval: float, *, percent: bool) -> str:
    """Return a value with its 95 % confidence interval."""
    return f"{100 * mean:.1f} ± {100 * interval:.1f} %" if percent else f"{mean:.4f} ± {interval:.4f}"


def bar(level: float, mark: float) -> str:
    """Return a bar from 0 to 1 with a mark.

    Examples
    --------
    >>> bar(0.5, 0.25).replace("█", "#").replace("┃", "|")
    '######|#####............'
    """
    full, rest, sign = ("█", "·", "┃") if (sys.stdout.encoding or "").lower().startswith("utf") else "#.|"
    cells = [full if i < round(level * CELLS) else rest for i in range(CELLS)]
    cells[min(round(mark * CELLS), CELLS - 1)] = sign
    return "".join(cells)
