"""Each contender runs in a process of its own, on one core, with one thread."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

# Read by NumPy's BLAS, by PyTorch and by XLA when they are imported.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


class Skipped(Exception):  # noqa: N818 - an outcome, not an error
    """The figure cannot be had here; the message says why."""


def pin() -> None:
    """Keep this process on one core, where the system lets it choose."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def call(module: str, argument: dict[str, Any], env: dict[str, str] | None = None) -> dict[str, float]:
    """Call ``module.main(argument)`` in a new process and return its answer.

    Raises
    ------
    Skipped
        If something that it needs is not there.
    RuntimeError
        If it failed otherwise.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.worker", module, json.dumps(argument)],
        env={**os.environ, **ONE_THREAD, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{module} {argument} ended with {done.returncode}\n{done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if "skipped" in answer:
        raise Skipped(answer["skipped"])
    return answer
