"""PyTorch as it is taught: modules, autograd, optim.SGD, one sample at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import nn

from benchmarks.problem import Program

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.problem import Problem


def build(weights: list[NDArray[np.float32]]) -> nn.Sequential:
    """Modules with these shapes: ReLU after kernels, tanh between dense layers."""
    layers: list[nn.Module] = []
    for w in weights[::2]:
        if w.ndim == 4:
            # Shoal pads at the end where PyTorch pads at both sides. In an image turned by half a turn both
            # are the same, so that PyTorch need not pad in a step of its own.
            layers += [nn.Conv2d(w.shape[2], w.shape[3], 3, stride=2, padding=1), nn.ReLU()]
        elif layers and isinstance(layers[-2], nn.Conv2d):
            layers += [nn.Flatten(), nn.Linear(*w.shape)]
        else:
            layers += [nn.Linear(*w.shape), nn.Tanh()]
    return nn.Sequential(*(layers[:-1] if isinstance(layers[-1], nn.Tanh) else layers))


def to_torch(w: NDArray[np.float32], *, after_image: bool) -> NDArray[np.float32]:
    """A weight array in PyTorch's order of axes, turned where the image is."""
    if w.ndim == 4:
        return w[::-1, ::-1].transpose(3, 2, 0, 1)
    if after_image:
        return w.reshape(2, 2, -1, w.shape[1])[::-1, ::-1].transpose(3, 2, 0, 1).reshape(w.shape[1], -1)
    return w.T


def from_torch(w: NDArray[np.float32], *, after_image: bool) -> NDArray[np.float32]:
    """The way back."""
    if w.ndim == 4:
        return w.transpose(2, 3, 1, 0)[::-1, ::-1]
    if after_image:
        return w.reshape(w.shape[0], -1, 2, 2).transpose(2, 3, 1, 0)[::-1, ::-1].reshape(-1, w.shape[0])
    return w.T


def prepare(problem: Problem, *, channels_last: bool = False, optimizer: str = "foreach") -> Program:
    """`optimizer`: "foreach" or "fused" (variants of optim.SGD), or "by hand" (no optimizer object)."""
    torch.set_num_threads(1)
    image = len(problem.network.input_shape) > 1
    arrays, inputs = problem.weights, problem.inputs
    start = [
        torch.from_numpy(np.ascontiguousarray(to_torch(w, after_image=image) if w.ndim > 1 else w))
        for w in arrays
    ]
    model = build(arrays)
    if image:
        inputs = np.ascontiguousarray(inputs[:, :, ::-1, ::-1].transpose(0, 1, 4, 2, 3))
    # As a batch of one each; the class number is an integer there.
    x = torch.from_numpy(inputs)[:, :, None]
    targets = torch.from_numpy(problem.targets)
    targets = targets.long() if image else targets[:, :, None]
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    measure: nn.Module = nn.CrossEntropyLoss() if image else nn.MSELoss()
    parameters = list(model.parameters())
    flags: dict[str, bool] = {} if optimizer == "by hand" else {optimizer: True}
    sgd = torch.optim.SGD(parameters, lr=problem.rate, **flags)

    def step_by_hand() -> None:
        with torch.no_grad():
            torch._foreach_add_(parameters, [p.grad for p in parameters], alpha=-problem.rate)

    step = step_by_hand if optimizer == "by hand" else sgd.step

    def visit(device: int) -> list[Any]:
        with torch.no_grad():
            for parameter, value in zip(parameters, start, strict=True):
                parameter.copy_(value)
        for sample, target in zip(x[device], targets[device], strict=True):
            sgd.zero_grad(set_to_none=True)
            measure(model(sample), target).backward()
            step()
        return [p.detach().clone() for p in parameters]

    def ends(kept: object) -> NDArray[np.float32]:
        rows = []
        for device in cast("list[list[Any]]", kept):
            own = [p.numpy() for p in device]
            rows.append(np.concatenate([_back(w, own, image=image).ravel() for w in own]))
        return np.stack(rows)

    return Program(lambda: [visit(d) for d in range(problem.devices)], ends)


def _back(w: NDArray[np.float32], own: list[NDArray[np.float32]], *, image: bool) -> NDArray[np.float32]:
    return w if w.ndim == 1 else from_torch(w, after_image=image and w is own[-2])
