"""What a simulated device costs when there are many: seconds and bytes, from a thousand to a million devices.

One round is drawn, visited, and its updates are kept ("kept") or averaged part by part ("streamed").
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import isolate
from benchmarks.problem import mlp
from benchmarks.result import Result
from shoal import datasets, runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from benchmarks.result import Effort

COUNTS = (1_000, 10_000, 100_000, 1_000_000)
PART = 4096


def run(effort: Effort) -> Iterator[Result]:
    for devices in COUNTS[:2] if effort.quick else COUNTS:
        for way in ("kept", "streamed"):
            setting = f"{devices:,} devices"
            try:
                yield Result("scale", way, setting, isolate.call(__name__, {"devices": devices, "way": way}))
            except isolate.Skipped as reason:
                yield Result("scale", way, setting, missing=str(reason))


def main(argument: dict[str, Any]) -> dict[str, float]:
    """Microseconds and bytes of each device in one round; called in a process of its own.

    ``bytes`` is the growth of the peak of resident memory, ``samples`` the part that holds the devices' data,
    ``beyond`` what is left after the data and the final weights that were kept.
    """
    devices, kept = argument["devices"], argument["way"] == "kept"
    part = devices if kept else min(PART, devices)
    fleet = Fleet()
    needed = 1.1 * part * (4 * fleet.parameters + 2 * size(fleet.draw(0, 1)))
    if needed > free():
        raise isolate.Skipped(f"{needed / 1e9:.1f} GB of memory are needed, {free() / 1e9:.1f} GB are free")
    fleet.visit(0, 64)  # loads and warms up
    before, wall, cpu = peak(), time.perf_counter(), time.process_time()
    total, nbytes, visiting = np.zeros(fleet.parameters), 0, 0.0
    for first in range(0, devices, part):
        took, ends, own = fleet.visit(first, min(part, devices - first))
        visiting, nbytes = visiting + took, max(nbytes, own)
        if not kept:
            total += ends.sum(axis=0, dtype=np.float64)
            del ends  # before the next part needs its own
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    grown = peak() - before
    return {
        "wall_us": 1e6 * wall / devices,
        "cpu_us": 1e6 * cpu / devices,
        "visit_us": 1e6 * visiting / devices,
        "bytes": grown / devices,
        "samples": nbytes / devices,
        "beyond": (grown - nbytes - 4 * part * fleet.parameters) / devices,
    }


class Fleet:
    """Devices that learn sine waves."""

    def __init__(self) -> None:
        problem = mlp(1)
        self.start = problem.network.parameters
        self.parameters = self.start.size
        self.image = problem.network.plan("sgd").image()
        self.phases = [runtime.Phase(problem.rate, problem.samples)]

    @staticmethod
    def draw(first: int, devices: int) -> datasets.TaskBatch:
        """Samples of devices from number `first` on."""
        return datasets.sine(shots=32, queries=1).sample(
            0, np.arange(first, first + devices, dtype=np.uint64)
        )

    def visit(self, first: int, devices: int) -> tuple[float, NDArray[np.float32], int]:
        """CPU seconds of the visits alone, the final weights, and the bytes of the samples."""
        batch = self.draw(first, devices)
        begin = time.process_time()
        visits = runtime.visit(
            self.image,
            x=batch.x,
            row=batch.support,
            targets=batch.support_y,
            phases=self.phases,
            start=self.start,
        )
        return time.process_time() - begin, visits.end[:, 0], size(batch)


def size(batch: datasets.TaskBatch) -> int:
    """Bytes of the samples, with their rows and targets."""
    return sum(a.nbytes for a in (batch.x, batch.support, batch.support_y, batch.query, batch.query_y))


def peak() -> int:
    """Largest resident memory of this process so far [bytes]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def free() -> float:
    """Memory that can be had [bytes], as far as the system tells."""
    path = Path("/proc/meminfo")
    if not path.exists():
        return float("inf")
    fields = dict(line.split(":") for line in path.read_text(encoding="ascii").splitlines())
    return float(fields["MemAvailable"].split()[0]) * 1024
