"""The same visits in float64 NumPy, plainly: what every contender's final weights are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.problem import Problem

    Array = NDArray[np.float64]


def final_weights(problem: Problem, devices: int) -> Array:
    """Final weights (devices, P) of the first devices."""
    kinds = [layer.kind for layer in problem.network.layers if layer.kind != "flatten"]
    ends = []
    for d in range(devices):
        weights = [w.astype(np.float64) for w in problem.weights]
        for x, target in zip(problem.inputs[d], problem.targets[d], strict=True):
            gradients = backward(kinds, weights, x.astype(np.float64), target.astype(np.float64))
            weights = [w - problem.rate * g for w, g in zip(weights, gradients, strict=True)]
        ends.append(np.concatenate([w.ravel() for w in weights]))
    return np.stack(ends)


def backward(kinds: list[str], weights: list[Array], x: Array, target: Array) -> list[Array]:
    """Gradient of each weight array for one sample."""
    tape = []
    image = "conv2d" in kinds
    last = len(kinds) - 1
    for i, kind in enumerate(kinds):
        rows = patches(x) if kind == "conv2d" else x.reshape(1, -1)
        w = weights[2 * i].reshape(rows.shape[-1], -1)
        y = rows @ w + weights[2 * i + 1]
        if i < last:
            y = np.maximum(y, 0) if image else np.tanh(y)
        tape.append((x.shape, rows, w, y))
        x = y.reshape((x.shape[0] + 1) // 2, (x.shape[1] + 1) // 2, -1) if kind == "conv2d" else y
    gradients: list[Array] = []
    dy = error(tape[-1][3], target, image=image)
    for i in range(last, -1, -1):
        shape, rows, w, y = tape[i]
        dy = dy.reshape(y.shape)
        if i < last:
            dy = dy * (y > 0) if image else dy * (1 - y * y)
        gradients = [(rows.T @ dy).reshape(weights[2 * i].shape), dy.sum(axis=0), *gradients]
        dy = fold(dy @ w.T, shape) if kinds[i] == "conv2d" else dy @ w.T
    return gradients


def error(y: Array, target: Array, *, image: bool) -> Array:
    """Derivative of the loss: of cross-entropy after softmax, or of the mean squared error."""
    if not image:
        return 2 * (y - target) / y.size
    p: Array = np.exp(y - y.max())
    p /= p.sum()
    p[0, int(target[0])] -= 1
    return p


def padding(size: int) -> tuple[int, int]:
    """Zeros before and after an axis, kernel 3 and stride 2, as many outputs as half the size."""
    total = max(0, ((size + 1) // 2 - 1) * 2 + 3 - size)
    return total // 2, total - total // 2


def patches(x: Array) -> Array:
    """Each 3x3 window (positions, 9 * channels)."""
    x = np.pad(x, (padding(x.shape[0]), padding(x.shape[1]), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(0, 1))[::2, ::2]
    return windows.transpose(0, 1, 3, 4, 2).reshape(-1, 9 * x.shape[2])


def fold(rows: Array, shape: tuple[int, ...]) -> Array:
    """Sum windows back into an image."""
    (top, bottom), (left, right) = padding(shape[0]), padding(shape[1])
    out = np.zeros((shape[0] + top + bottom, shape[1] + left + right, shape[2]))
    width = (shape[1] + 1) // 2
    for i, window in enumerate(rows.reshape(-1, 3, 3, shape[2])):
        r, c = 2 * (i // width), 2 * (i % width)
        out[r : r + 3, c : c + 3] += window
    return out[top : top + shape[0], left : left + shape[1]]
