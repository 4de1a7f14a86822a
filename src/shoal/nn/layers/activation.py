"""Activations, elementwise and softmax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from shoal.errors import ConfigError
from shoal.nn.graph import QUANTIZED, Code, Op
from shoal.nn.layers.base import Layer, Place, is_number
from shoal.nn.layers.fixed import activate_fixed
from shoal.nn.layers.integer import constant, input_of
from shoal.nn.quantization import Quantization, is_fixed, lookup_table, softmax_numbers

if TYPE_CHECKING:
    from shoal.nn.graph import Graph, Ref

__all__ = ["Activation", "ActivationName", "LeakyReLU", "ReLU", "ReLU6", "Sigmoid", "Softmax", "Tanh"]

ActivationName: TypeAlias = Literal["relu", "relu6", "leaky_relu", "tanh", "sigmoid", "softmax"]

CODES: dict[str, Code] = {
    "relu": Code.RELU,
    "relu6": Code.RELU6,
    "leaky_relu": Code.LEAKY_RELU,
    "tanh": Code.TANH,
    "sigmoid": Code.SIGMOID,
    "softmax": Code.SOFTMAX,
}
DEFAULT_SLOPE = 0.01


def check_activation(function: object) -> None:
    """Refuse an unknown name."""
    if not isinstance(function, str) or function not in CODES:
        raise ConfigError(f"unknown activation {function!r}", hint=" | ".join(CODES))


def check_flat(x: Ref) -> None:
    """Refuse a softmax over an image."""
    if len(x.shape) != 1:
        raise ConfigError(f"softmax takes a flat value, got {x.shape}", hint="nn.Flatten() before it")


def activate(graph: Graph, x: Ref, place: Place, function: str | None, slope: float = DEFAULT_SLOPE) -> Ref:
    """Append an activation; None leaves the value as it is."""
    if function is None:
        return x
    if function == "softmax":
        check_flat(x)
    numbers = (slope if function == "leaky_relu" else 0.0, 0.0)
    return graph.add(Op(CODES[function], place.number, x, graph.like(x), numbers=numbers))


@dataclass(frozen=True, slots=True, repr=False)
class Activation(Layer):
    """A nonlinear function of each value.

    Parameters
    ----------
    function
        "relu", "relu6", "leaky_relu", "tanh", "sigmoid" or "softmax" (over a flat value).
    slope
        Of leaky_relu below 0.
    quantized
        How the answer is quantized, of an input that is; None: computed in float32.

    Examples
    --------
    >>> Activation("tanh")
    Activation(function='tanh')
    """

    kind: ClassVar[str] = "activation"

    function: ActivationName
    slope: float = DEFAULT_SLOPE
    quantized: Quantization | None = None

    def default_name(self) -> str:
        """Return the name of the function."""
        return self.function

    def check(self) -> None:
        """Raise ConfigError where an argument cannot be used."""
        Layer.check(self)
        check_activation(self.function)
        if not (is_number(self.slope) and 0 <= self.slope < 1):
            raise ConfigError(f"slope must be at least 0 and below 1, got {self.slope!r}", hint="slope=0.01")

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Append the operation."""
        if self.quantized is not None:
            return self.lower_quantized(graph, x, place, self.quantized)
        return activate(graph, x, place, self.function, self.slope)

    def lower_quantized(self, graph: Graph, x: Ref, place: Place, wanted: Quantization) -> Ref:
        """Append the operation on integers: softmax, or a table of its 256 answers."""
        if self.function == "softmax":
            check_flat(x)
        given = input_of(self, x)
        if is_fixed(given):
            return activate_fixed(graph, x, place, self.function, wanted)
        out = graph.value(x.shape, quantization=wanted)
        if self.function == "softmax":
            numbers = constant(softmax_numbers(given, wanted))
            return graph.add(Op(QUANTIZED + Code.SOFTMAX, place.number, x, out, aux=numbers))
        table = constant(lookup_table(self.function, given, wanted, self.slope))
        return graph.add(Op(QUANTIZED + Code.LOOKUP, place.number, x, out, aux=table))


def ReLU(*, name: str | None = None) -> Activation:  # noqa: N802 - reads as the layer it makes
    """Return max(x, 0)."""
    return Activation("relu", name=name)


def ReLU6(*, name: str | None = None) -> Activation:  # noqa: N802
    """Return min(max(x, 0), 6)."""
    return Activation("relu6", name=name)


def LeakyReLU(slope: float = DEFAULT_SLOPE, *, name: str | None = None) -> Activation:  # noqa: N802
    """Return x, or slope * x below 0."""
    return Activation("leaky_relu", slope, name=name)


def Tanh(*, name: str | None = None) -> Activation:  # noqa: N802
    """Return the hyperbolic tangent."""
    return Activation("tanh", name=name)


def Sigmoid(*, name: str | None = None) -> Activation:  # noqa: N802
    """Return 1 / (1 + exp(-x))."""
    return Activation("sigmoid", name=name)


def Softmax(*, name: str | None = None) -> Activation:  # noqa: N802
    """Return exp(x) / sum(exp(x)) over a flat value."""
    return Activation("softmax", name=name)
