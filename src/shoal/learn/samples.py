"""Samples, targets and answers as a network takes and gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import InputError
from shoal.nn.arrays import checked, checked_as
from shoal.nn.quantization import dequantize, quantize

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from shoal.nn import Network

__all__ = ["as_answer", "as_pairs", "as_sample", "as_samples", "as_target"]


def as_sample(network: Network, x: ArrayLike) -> NDArray[Any]:
    """Return one sample in the type that the network takes.

    A network that takes integers takes real values too, which are quantized; an array of its own integer type
    is taken as it is.

    Raises
    ------
    InputError
        Where shape, type or a value does not fit.
    """
    return as_input(network, x, network.input_shape)


def as_samples(network: Network, x: ArrayLike) -> NDArray[Any]:
    """Return samples (n, ...), n at least 1, as :func:`as_sample` does one."""
    n = np.shape(x)[0] if np.ndim(x) else 0
    if n == 0:
        shape = f"shape (n, {str(network.input_shape)[1:-1]})"
        raise InputError("there are no samples", where="x", hint=shape)
    return as_input(network, x, (n, *network.input_shape))


def as_input(network: Network, x: ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return values of this shape in the type that the network takes."""
    q = network.input_quantization
    if q is None:
        return checked(x, shape, "x")
    if isinstance(x, np.ndarray) and x.dtype == q.dtype:
        return checked_as(q.dtype, x, shape, "x")
    return quantize(checked(x, shape, "x"), q)


def as_target(network: Network, y: ArrayLike, active: int) -> NDArray[np.float32]:
    """Return one target: a class number below `active` for cross-entropy, else the values to answer.

    Raises
    ------
    InputError
        Where it does not fit.
    """
    if network.loss != "cross_entropy":
        return checked(y, network.output_shape, "y")
    label = checked(y, (), "y")
    if not (label == int(label) and 0 <= label < active):
        raise InputError(
            f"label {label:g} is not a class", where="y", hint=f"a whole number from 0 to {active - 1}"
        )
    return label


def as_pairs(
    network: Network, x: ArrayLike, y: ArrayLike, active: int
) -> list[tuple[NDArray[Any], NDArray[np.float32]]]:
    """Return samples and targets, all checked."""
    samples = as_samples(network, x)
    n = np.shape(y)[0] if np.ndim(y) else 0
    if n != len(samples):
        raise InputError(f"{len(samples)} samples with {n} targets", where="y")
    targets = [as_target(network, target, active) for target in np.asarray(y)]
    return list(zip(samples, targets, strict=True))


def as_answer(network: Network, y: NDArray[Any]) -> NDArray[np.float32]:
    """Return what a network gave as real values of its output shape."""
    q = network.output_quantization
    return (y if q is None else dequantize(y, q)).reshape(network.output_shape)
