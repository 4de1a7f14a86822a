"""Layers that keep values near zero mean and unit variance, one sample at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import ConfigError
from shoal.nn.graph import Code, Op, Stored
from shoal.nn.layers.base import ArraySpec, Layer, Place, TrainableLayer, is_number
from shoal.nn.masks import Mask, as_mask
from shoal.nn.shapes import Shape, as_hwc, positive

if TYPE_CHECKING:
    from shoal.nn.graph import Graph, Ref

__all__ = ["GroupNorm", "Standardize"]


@dataclass(frozen=True, slots=True, repr=False)
class GroupNorm(TrainableLayer):
    """Each group of neighbouring channels at zero mean and unit variance, then scaled and shifted by channel.

    Parameters
    ----------
    groups
        Number of groups, a divisor of the number of channels, at most 255.
    epsilon
        Added to the variance.

    References
    ----------
    Wu and He, Group Normalization (2018), equation 7.
    """

    kind: ClassVar[str] = "group_norm"

    groups: int = 1
    epsilon: float = 1e-5

    def check(self) -> None:
        """Raise ConfigError where an argument cannot be used."""
        TrainableLayer.check(self)
        positive(self.groups, "groups", 255)
        check_epsilon(self.epsilon)

    def arrays(self, shape: Shape) -> dict[str, ArraySpec]:
        """Return scale and shift, both (channels,)."""
        channels = shape[-1]
        return {"scale": ArraySpec((channels,), "ones"), "shift": ArraySpec((channels,), "zeros")}

    def mask(self, shape: Shape) -> Mask:
        """Return what learns; "bias" is the shift."""
        return as_mask(self.trainable, shape[-1], bias=True)

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Append the operation; it keeps mean and 1 / deviation of each group for the way back."""
        channels = as_hwc(x.shape)[2]
        if channels % self.groups:
            raise ConfigError(
                f"{channels} channels cannot be split in {self.groups} equal groups", hint="groups=1"
            )
        scale = Stored(f"{place.name}.scale", (1, 1, channels))
        shift = Stored(f"{place.name}.shift", (1, 1, channels))
        return graph.add(
            Op(
                Code.GROUP_NORM,
                place.number,
                x,
                graph.like(x),
                weights=scale,
                bias=shift,
                aux=graph.value((2 * self.groups,)),
                groups=self.groups,
                numbers=(self.epsilon, 0.0),
            )
        )


@dataclass(frozen=True, slots=True, repr=False)
class Standardize(Layer):
    """Each value minus its running mean, over its running deviation, both learnt from the stream itself.

    Parameters
    ----------
    forgetting
        Weight of the newest sample, 0 < forgetting < 1; 0: all samples count alike.
    epsilon
        Added to the variance.

    References
    ----------
    Welford, Note on a method for calculating corrected sums of squares and products (1962).
    """

    kind: ClassVar[str] = "standardize"

    forgetting: float = 0.0
    epsilon: float = 1e-6

    def check(self) -> None:
        """Raise ConfigError where an argument cannot be used."""
        Layer.check(self)
        if not (is_number(self.forgetting) and 0 <= self.forgetting < 1):
            raise ConfigError(
                f"forgetting must be at least 0 and below 1, got {self.forgetting!r}", hint="forgetting=0.01"
            )
        check_epsilon(self.epsilon)

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Append the operation."""
        features = math.prod(x.shape)
        statistics = Stored(f"{place.name}.statistics", (1, 1, 2 * features + 1))
        return graph.add(
            Op(
                Code.STANDARDIZE,
                place.number,
                x,
                graph.like(x),
                aux=statistics,
                numbers=(self.epsilon, self.forgetting),
            )
        )


def check_epsilon(epsilon: float) -> None:
    """Refuse what could divide by zero in binary32."""
    if not (is_number(epsilon) and 1e-30 <= epsilon <= 1):
        raise ConfigError(f"epsilon must be 1e-30 to 1, got {epsilon!r}", hint="epsilon=1e-5")
