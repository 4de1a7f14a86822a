"""Print how long the modules are, and fail when they outgrow the budget.

The product (`src` and the runtime's sources, headers and ports) keeps a median of 110 lines and a 90th
percentile of 400. No file anywhere has more than 800. Files of at most 5 lines are not counted.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median

MEDIAN, P90, MAXIMUM = 110, 400, 800
TRIVIAL = 5
PRODUCT = "product"
RUNTIME = ["runtime/src/**/*.[ch]", "runtime/include/**/*.h", "runtime/ports/**/*.[ch]"]
AREAS = {
    "src/shoal": ["src/shoal/**/*.py"],
    "runtime": RUNTIME,
    PRODUCT: ["src/shoal/**/*.py", *RUNTIME],
    "tests": ["tests/**/*.py", "runtime/test/**/*.[ch]", "runtime/fuzz/**/*.[ch]"],
    "benchmarks": ["benchmarks/**/*.py"],
}


def line_counts(root: Path, patterns: list[str]) -> dict[Path, int]:
    """Return the number of lines of each file that counts."""
    files = {file for pattern in patterns for file in root.glob(pattern)}
    counts = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in sorted(files)}
    return {file: count for file, count in counts.items() if count > TRIVIAL}


def percentile90(counts: list[int]) -> int:
    """Return the smallest count that at least nine tenths of the files do not exceed."""
    return sorted(counts)[-(-9 * len(counts) // 10) - 1]


def check(root: Path) -> tuple[list[str], list[str]]:
    """Return the table's rows and the problems."""
    rows = [f"{'':12}{'files':>7}{'lines':>8}{'median':>8}{'p90':>6}{'max':>6}"]
    problems = []
    for area, patterns in AREAS.items():
        counts = line_counts(root, patterns)
        if not counts:
            continue
        sizes = list(counts.values())
        middle, high = median(sizes), percentile90(sizes)
        rows.append(f"{area:12}{len(sizes):>7}{sum(sizes):>8,}{middle:>8.0f}{high:>6}{max(sizes):>6}")
        if area == PRODUCT:
            problems += [f"median of {middle:.0f} lines, the budget is {MEDIAN}"] * (middle > MEDIAN)
            problems += [f"90th percentile of {high} lines, the budget is {P90}"] * (high > P90)
        else:
            problems += [
                f"{file}:{count}: {count} lines, at most {MAXIMUM} are allowed"
                for file, count in counts.items()
                if count > MAXIMUM
            ]
    return rows, problems


def main() -> int:
    """Print the table and return the exit status."""
    rows, problems = check(Path(__file__).parents[1])
    print("\n".join([*rows, *problems]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
