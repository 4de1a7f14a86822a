"""The residual connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import ConfigError
from shoal.nn.graph import QUANTIZED, Code, Op
from shoal.nn.layers.activation import ActivationName, activate, check_activation
from shoal.nn.layers.base import Layer, Place
from shoal.nn.layers.integer import check_fused, constant, dequantize, input_of
from shoal.nn.quantization import Quantization, add_numbers

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
    quantized
        How the sum is quantized, of a branch and a shortcut that are; None: a sum of float32 values.
    activation
        Name of the function of the sum, None for none.

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
    quantized: Quantization | None
    activation: ActivationName | None

    def __init__(
        self,
        *layers: Layer,
        shortcut: Iterable[Layer] | Layer = (),
        quantized: Quantization | None = None,
        activation: ActivationName | None = None,
        name: str | None = None,
    ) -> None:
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "shortcut", (shortcut,) if isinstance(shortcut, Layer) else tuple(shortcut))
        object.__setattr__(self, "quantized", quantized)
        object.__setattr__(self, "activation", activation)
        object.__setattr__(self, "name", name)

    def __repr__(self) -> str:
        parts = [repr(layer) for layer in self.layers]
        parts += [f"shortcut={list(self.shortcut)!r}"] if self.shortcut else []
        for field in ("quantized", "activation"):
            value = getattr(self, field)
            parts += [f"{field}={value!r}"] if value is not None else []
        parts += [f"name={self.name!r}"] if self.name is not None else []
        return f"Residual({', '.join(parts)})"

    def check(self) -> None:
        """Raise ConfigError where an argument cannot be used."""
        Layer.check(self)
        if not self.layers:
            raise ConfigError("Residual has no layers in its branch", hint="nn.Residual(nn.Dense(8), ...)")

        if self.activation is not None:
            check_activation(self.activation)
        if self.quantized is not None:
            check_fused(self.activation)

    @property
    def on_integers(self) -> bool:
        """Leaves its input to the layers inside."""
        return True

    def with_ways(
        self,
        layers: Iterable[Layer],
        shortcut: Iterable[Layer],
        *,
        name: str | None = None,
        quantized: Quantization | None = None,
    ) -> Residual:
        """Return the same sum of other layers, quantized as it was or otherwise."""
        return Residual(
            *layers,
            shortcut=shortcut,
            quantized=quantized or self.quantized,
            activation=self.activation,
            name=name or self.name,
        )

    def join(self, graph: Graph, place: Place, branch: Ref, shortcut: Ref) -> Ref:
        """Append the sum of the two ways."""
        if branch.shape != shortcut.shape:
            raise ConfigError(
                f"the branch gives {branch.shape}, the shortcut {shortcut.shape}",
                hint="shortcut=[nn.Conv2D(filters, kernel=1, stride=...)] or a branch that keeps the shape",
            )
        if branch.grows or shortcut.grows:
            raise ConfigError("a Dense with reserve inside a Residual", hint="reserve=0")
        if self.quantized is None:
            a, b = dequantize(graph, branch, place), dequantize(graph, shortcut, place)
            y = graph.add(Op(Code.ADD, place.number, a, graph.like(a), x2=b))
            return activate(graph, y, place, self.activation)
        numbers = add_numbers(
            input_of(self, branch), input_of(self, shortcut), self.quantized, self.activation
        )
        out = graph.value(branch.shape, quantization=self.quantized)
        aux = constant(numbers)
        return graph.add(Op(QUANTIZED + Code.ADD, place.number, branch, out, x2=shortcut, aux=aux))

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Never called: the trace walks through both ways itself."""
        raise NotImplementedError(type(self).__name__)
