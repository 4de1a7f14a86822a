"""``python -m benchmarks.cost [--core CORE ...] [--nets N]``: counts, fits and writes src/shoal/build/cost.json.

Each call of each drawn network is one equation: its instructions are the sum of what each piece of work takes, times
how often it is done. The pieces are fitted by least squares on the relative error, none below 0. Networks that are not
part of the fit say what it is worth.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import nnls

from benchmarks.cost.count import counts
from shoal.devices import cores

if TYPE_CHECKING:
    from benchmarks.cost.count import Count

FILE = Path(__file__).parents[2] / "src" / "shoal" / "build" / "cost.json"
FIRST_OTHER = 1_000_000  # seed of the first network that is not part of the fit


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=__doc__)
    parser.add_argument("--core", nargs="+", choices=cores(), default=cores())
    parser.add_argument("--nets", type=int, default=450, help="networks to fit to; a third as many judge")
    parser.add_argument("--check", action="store_true", help="judge the present table, fit nothing")
    arguments = parser.parse_args()
    table = json.loads(FILE.read_text()) if FILE.exists() else {}
    for core in arguments.core:
        if not arguments.check:
            table[core] = fit(list(counts(core, range(arguments.nets))))
            FILE.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")
        others = list(counts(core, range(FIRST_OTHER, FIRST_OTHER + arguments.nets // 3)))
        judge(core, table[core], others)


def fit(found: list[Count]) -> dict[str, float]:
    """Return the instructions of each piece of work."""
    names = sorted({name for count in found for name in count.work})
    taken = np.array([count.instructions for count in found])
    work = np.array([[count.work[name] for name in names] for count in found], float)
    # A little of each piece's largest share pulls to 0 what the equations do not decide.
    scale = (work / taken[:, None]).max(axis=0)
    relative = np.vstack([work / taken[:, None] / scale, 1e-3 * np.eye(len(names))])
    solution, _ = nnls(relative, np.concatenate([np.ones(len(found)), np.zeros(len(names))]), maxiter=100_000)
    return {
        name: float(f"{value:.5g}") for name, value in zip(names, solution / scale, strict=True) if value > 0
    }


def judge(core: str, costs: dict[str, float], found: list[Count]) -> None:
    """Print how far the table is from the counts, by family."""
    off: dict[str, list[float]] = {}
    for count in found:
        guess = sum(costs.get(name, 0.0) * times for name, times in count.work.items())
        off.setdefault(count.name, []).append(guess / count.instructions - 1)
    for family, errors in sorted(off.items()):
        absolute = np.abs(errors)
        within = np.mean(absolute <= 0.05)
        print(
            f"{core:11} {family:14} {len(errors):4} calls: {within:4.0%} within 5 %, "
            f"median {np.median(absolute):.1%}, most {absolute.max():.1%}",
            flush=True,
        )


if __name__ == "__main__":
    main()
