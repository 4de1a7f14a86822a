"""Count, fit and write src/shoal/build/cost.json.

Run as ``python -m benchmarks.cost [--core CORE ...] [--nets N]``; it needs QEMU and the cross compilers.
Each call of each drawn network is one equation: its instructions are the sum of what each piece of work
takes, times how often it is done. Networks that are not part of the fit judge it. The firmware has the
operations of its network and no others, as that of `shoal build`. Counts are kept in a folder under the name
of the runtime's sources, so that a fit can be made again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from benchmarks.cost.count import Count, counts
from benchmarks.cost.fit import fit, guess
from benchmarks.cost.nets import POOLS
from shoal.devices import cores

ROOT = Path(__file__).parents[2]
FILE = ROOT / "src" / "shoal" / "build" / "cost.json"
FIRST_OTHER = 1_000_000  # seed of the first network that is not part of the fit


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=__doc__)
    parser.add_argument("--core", nargs="+", choices=cores(), default=cores())
    parser.add_argument("--nets", type=int, default=390, help="networks to fit to")
    parser.add_argument("--others", type=int, default=105, help="networks that judge")
    parser.add_argument("--pools", type=int, default=60, help="with pools on integers; a third to judge")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "cost", help="where counts are kept")
    parser.add_argument("--check", action="store_true", help="judge the present table, fit nothing")
    arguments = parser.parse_args()
    table = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    for core in arguments.core:
        if not arguments.check:
            seeds = [*range(arguments.nets), *range(POOLS, POOLS + arguments.pools)]
            table[core] = fit(counts(core, seeds, arguments.folder))
            FILE.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        seeds = [*range(arguments.others), *range(POOLS, POOLS + arguments.pools // 3)]
        others = [FIRST_OTHER + seed for seed in seeds]
        judge(core, table[core], counts(core, others, arguments.folder))


def judge(core: str, costs: dict[str, float], found: list[Count]) -> None:
    """Print how far the table is from the counts, by family."""
    off: dict[str, list[float]] = {}
    for count in found:
        family = f"{count.family}, {'a step' if count.learning else 'an answer'}"
        off.setdefault(family, []).append(guess(costs, count) / count.instructions - 1)
    for family, errors in sorted(off.items()):
        absolute = np.abs(errors)
        print(
            f"{core:11} {family:24} {len(errors):3} networks: {np.mean(absolute <= 0.05):4.0%} within 5 %, "
            f"median {np.median(absolute):.1%}, most {absolute.max():.1%}",
            flush=True,
        )


if __name__ == "__main__":
    main()
