"""NumPy, all devices of a batch in step: float32, gradients by hand, products by matmul."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from benchmarks.problem import Program, flatten

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.problem import Problem

    Arrays = list[NDArray[np.float32]]


def prepare(problem: Problem) -> Program:
    x = np.ascontiguousarray(problem.inputs.swapaxes(0, 1)[:, :, None, :])  # (samples, devices, 1, 1)
    t = np.ascontiguousarray(problem.targets.swapaxes(0, 1)[:, :, None, :])
    rate, devices = np.float32(problem.rate), problem.devices

    def visit() -> Arrays:
        w1, b1, w2, b2, w3, b3 = (
            np.repeat(a.reshape(1, -1, a.shape[-1]), devices, axis=0) for a in problem.weights
        )
        for sample, target in zip(x, t, strict=True):
            h1 = np.tanh(sample * w1 + b1)
            h2 = np.tanh(h1 @ w2 + b2)
            d3 = rate * 2 * (h2 @ w3 + b3 - target)
            d2 = d3 * w3.swapaxes(1, 2) * (1 - h2 * h2)
            d1 = d2 @ w2.swapaxes(1, 2) * (1 - h1 * h1)
            w3 -= h2.swapaxes(1, 2) * d3
            b3 -= d3
            w2 -= h1.swapaxes(1, 2) * d2
            b2 -= d2
            w1 -= sample * d1
            b1 -= d1
        return [w1, b1, w2, b2, w3, b3]

    return Program(visit, lambda ends: flatten(cast("Arrays", ends)))
