"""Other shapes of the same values; they cost nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import ConfigError
from shoal.nn.layers.base import Layer, Place
from shoal.nn.shapes import Shape, as_shape

if TYPE_CHECKING:
    from shoal.nn.graph import Graph, Ref

__all__ = ["Flatten", "Reshape"]


@dataclass(frozen=True, slots=True, repr=False)
class Flatten(Layer):
    """All values in one row, channels fastest."""

    kind: ClassVar[str] = "flatten"

    @property
    def on_integers(self) -> bool:
        """Takes integers as they are."""
        return True

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Return the same value with the shape (n,)."""
        del graph, place
        return x._replace(shape=(math.prod(x.shape),))


@dataclass(frozen=True, slots=True, repr=False)
class Reshape(Layer):
    """The same values with another shape.

    Parameters
    ----------
    shape
        (n,) or (height, width, channels).
    """

    kind: ClassVar[str] = "reshape"

    shape: Shape

    @property
    def on_integers(self) -> bool:
        """Takes integers as they are."""
        return True

    def check(self) -> None:
        """Raise ConfigError where an argument cannot be used."""
        Layer.check(self)
        as_shape(self.shape)

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Return the same value with the new shape."""
        del graph, place
        shape = as_shape(self.shape)
        if math.prod(shape) != math.prod(x.shape):
            values = f"{math.prod(x.shape):,} values are not {math.prod(shape):,}"
            raise ConfigError(f"cannot reshape {x.shape} to {shape}: {values}")
        return x._replace(shape=shape)
