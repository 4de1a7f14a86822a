"""PyTorch's functional transforms: vmap of grad, a step for all devices of a batch at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch

from benchmarks.problem import Program, flatten

if TYPE_CHECKING:
    from benchmarks.problem import Problem


def prepare(problem: Problem) -> Program:
    torch.set_num_threads(1)
    x = torch.from_numpy(problem.inputs).swapaxes(0, 1).contiguous()
    targets = torch.from_numpy(problem.targets).swapaxes(0, 1).contiguous()
    start = [torch.from_numpy(w.copy()) for w in problem.weights]

    def loss(weights: tuple[Any, ...], sample: Any, target: Any) -> Any:
        w1, b1, w2, b2, w3, b3 = weights
        y = torch.tanh(torch.tanh(sample @ w1 + b1) @ w2 + b2) @ w3 + b3
        return ((y - target) ** 2).mean()

    gradient = torch.func.vmap(torch.func.grad(loss))

    def visit() -> list[Any]:
        weights = [w.expand(problem.devices, *w.shape).clone() for w in start]
        for sample, target in zip(x, targets, strict=True):
            torch._foreach_add_(weights, gradient(tuple(weights), sample, target), alpha=-problem.rate)
        return weights

    return Program(visit, lambda ends: flatten([w.numpy() for w in cast("list[Any]", ends)]))
