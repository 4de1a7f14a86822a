"""How the first weights are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from shoal.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.nn.shapes import Shape

__all__ = ["Initializer", "check_initializer", "draw"]

Initializer: TypeAlias = Literal[
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "zeros",
    "ones",
]


def check_initializer(init: str) -> None:
    """Refuse an unknown name."""
    if init not in get_args(Initializer):
        raise ConfigError(f"unknown init {init!r}", hint=" | ".join(get_args(Initializer)))


def draw(
    rng: np.random.Generator, init: Initializer, shape: Shape, fan_in: int, fan_out: int
) -> NDArray[np.float32]:
    """Draw an array.

    The variance is 2 / (fan_in + fan_out) for Glorot, 2 / fan_in for He, 1 / fan_in for LeCun.

    Parameters
    ----------
    rng
        Drawn from in index order.
    init
        Name of the rule.
    shape
        Of the result.
    fan_in, fan_out
        Inputs of one output, outputs of one input.

    References
    ----------
    Glorot and Bengio (2010), equation 16; He et al. (2015), equation 10; LeCun et al. (1998), section 4.6.
    """
    if init == "zeros":
        return np.zeros(shape, np.float32)
    if init == "ones":
        return np.ones(shape, np.float32)
    rule, _, distribution = init.partition("_")
    variance = {"glorot": 2 / (fan_in + fan_out), "he": 2 / fan_in, "lecun": 1 / fan_in}[rule]
    if distribution == "uniform":
        limit = (3 * variance) ** 0.5
        return rng.uniform(-limit, limit, shape).astype(np.float32)
    return rng.normal(0.0, variance**0.5, shape).astype(np.float32)
