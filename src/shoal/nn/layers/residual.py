"""The residual connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import ConfigError
from shoal.nn.layers.base import Layer, Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shoal.nn.graph import Graph, Ref

__all__ = ["Residual"]


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Residual(Layer):
    """The sum of a branch and a shortcut: ``y = branch(x) + shortcut(x)``.

    Parameters
    ----------
    layers
        The branch.
    shortcut
        Layers of the other way; none: x itself, which then must have the shape of the branch's output.

    References
    ----------
    He et al., Deep residual learning for image recognition (2015), equations 1 and 2.

    Examples
    --------
    >>> from shoal import nn
    >>> block = Residual(nn.Dense(8, "relu"), nn.Dense(8))
    >>> nn.Network([block, nn.Dense(1)], input_shape=(8,)).output_shape
    (1,)
    """

    kind: ClassVar[str] = "residual"

    layers: tuple[Layer, ...]
    shortcut: tuple[Layer, ...]

    def __init__(
        self, *layers: Layer, shortcut: Iterable[Layer] | Layer = (), name: str | None = None
    ) -> None:
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "shortcut", (shortcut,) if isinstance(shortcut, Layer) else tuple(shortcut))
        object.__setattr__(self, "name", name)

    def __repr__(self) -> str:
        parts = [repr(layer) for layer in self.layers]
        parts += [f"shortcut={list(self.shortcut)!r}"] if self.shortcut else []
        parts += [f"name={self.name!r}"] if self.name is not None else []
        return f"Residual({', '.join(parts)})"

    def check(self) -> None:
        """Raise ConfigError where an argument cannot be used."""
        Layer.check(self)
        if not self.layers:
            raise ConfigError("Residual has no layers in its branch", hint="nn.Residual(nn.Dense(8), ...)")

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Never called: the trace walks through both ways itself."""
        raise NotImplementedError(type(self).__name__)
