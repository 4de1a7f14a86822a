"""How long a call takes: CPU seconds and wall seconds, several times over."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.result import Effort


def spent(call: Callable[[], object], calls: int) -> tuple[float, float]:
    """CPU and wall seconds of so many calls."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        call()
    return time.process_time() - cpu, time.perf_counter() - wall


def rates(call: Callable[[], object], units: int, effort: Effort) -> dict[str, float]:
    """Units per second, if each call does so many.

    ``rate`` is the median over the repeats, per CPU second, ``low`` and ``high`` are its extremes, ``wall``
    is the median per wall second. Calls before these warm up, and tell how many fill the time.
    """
    calls = 1
    while (took := spent(call, calls)[1]) < effort.seconds / 4:
        calls = max(calls + 1, int(calls * min(8.0, effort.seconds / 3 / max(took, 1e-9))))
    calls = max(1, int(calls * effort.seconds / took) + 1)
    runs = [spent(call, calls) for _ in range(effort.repeats)]
    per_cpu = [units * calls / cpu for cpu, _ in runs]
    return {
        "rate": median(per_cpu),
        "low": min(per_cpu),
        "high": max(per_cpu),
        "wall": median(units * calls / wall for _, wall in runs),
    }
