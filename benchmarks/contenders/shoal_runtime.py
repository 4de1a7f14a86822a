"""Shoal's C runtime: lanes, one device at a time, or one device after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from benchmarks.isolate import Skipped
from benchmarks.problem import Program
from shoal import runtime
from shoal.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.problem import Problem


def prepare(problem: Problem, *, width: int = 1, serial: bool = False) -> Program:
    """Visits at a width; `serial` moves the common weights after each visit instead of keeping them all."""
    try:
        runtime.isa()
    except ConfigError as error:
        raise Skipped(error.what) from None
    image, start = problem.network.plan("sgd").image(), problem.network.parameters
    phases = [runtime.Phase(problem.rate, problem.samples)]
    # Memory for the answer is reused, as the allocators of the peers do.
    room = np.zeros((problem.devices, 1, start.size), np.float32)

    def visit() -> runtime.Visits:
        return runtime.visit(
            image,
            x=problem.x,
            row=problem.row,
            targets=problem.targets,
            phases=phases,
            start=start,
            width=width,
            out=room,
        )

    def one_after_the_other(rate: float) -> NDArray[np.float32]:
        parameters = start.copy()
        server_rate = np.full(problem.devices, rate, np.float32)
        runtime.serial(
            image,
            x=problem.x,
            row=problem.row,
            targets=problem.targets,
            phases=phases,
            parameters=parameters,
            server_rate=server_rate,
        )
        return parameters

    if serial:
        # What serial keeps depends on all visits, so the check is of the same visits kept one by one.
        return Program(lambda: one_after_the_other(0.1), lambda _: visit().end[:, 0])
    return Program(visit, lambda visits: cast("runtime.Visits", visits).end[:, 0])
