"""JAX: a visit is a scan over its samples, a batch of visits is one vmap, both in one compiled program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.problem import Program, flatten

if TYPE_CHECKING:
    from benchmarks.problem import Problem


def forward_mlp(weights: list[Any], x: Any) -> Any:
    for w, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        x = jnp.tanh(x @ w + b)
    return x @ weights[-2] + weights[-1]


def windows_by_convolution(x: Any, w: Any) -> Any:
    return lax.conv_general_dilated(x[None], w, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))[0]


def windows_by_product(x: Any, w: Any) -> Any:
    """The windows as rows of one matrix: with weights of their own for each device, often the faster way."""
    (top, bottom), (left, right) = lax.padtype_to_pads(x.shape[:2], (3, 3), (2, 2), "SAME")
    height, width = (x.shape[0] + 1) // 2, (x.shape[1] + 1) // 2
    x = jnp.pad(x, ((top, bottom), (left, right), (0, 0)))
    parts = [x[i : i + 2 * height - 1 : 2, j : j + 2 * width - 1 : 2] for i in range(3) for j in range(3)]
    return jnp.concatenate(parts, axis=-1) @ w.reshape(-1, w.shape[-1])


WINDOWS = {"convolution": windows_by_convolution, "product": windows_by_product}


def prepare(problem: Problem, *, unroll: int = 1, windows: str = "convolution") -> Program:
    image = len(problem.network.input_shape) > 1
    rate = problem.rate

    def loss(weights: list[Any], x: Any, target: Any) -> Any:
        if not image:
            return jnp.mean((forward_mlp(weights, x) - target) ** 2)
        for w, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            x = jax.nn.relu(WINDOWS[windows](x, w) + b)
        return -jax.nn.log_softmax(x.reshape(-1) @ weights[-2] + weights[-1])[target[0]]

    def step(weights: list[Any], sample: tuple[Any, Any]) -> tuple[list[Any], None]:
        gradients = jax.grad(loss)(weights, *sample)
        return [w - rate * g for w, g in zip(weights, gradients, strict=True)], None

    def visit(weights: list[Any], x: Any, targets: Any) -> list[Any]:
        ends: list[Any] = lax.scan(step, weights, (x, targets), unroll=unroll)[0]
        return ends

    program = jax.jit(jax.vmap(visit, in_axes=(None, 0, 0)))
    start = [jnp.asarray(w) for w in problem.weights]
    x = jnp.asarray(problem.inputs)
    targets = jnp.asarray(problem.targets.astype(np.int32) if image else problem.targets)
    return Program(
        lambda: jax.block_until_ready(program(start, x, targets)),
        lambda ends: flatten([np.asarray(a) for a in cast("list[Any]", ends)]),
    )
