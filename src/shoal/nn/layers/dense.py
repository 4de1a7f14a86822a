"""The fully connected layer."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import ConfigError
from shoal.nn.graph import Code, Op, Stored
from shoal.nn.initializers import check_initializer
from shoal.nn.layers.activation import ActivationName, activate, check_activation
from shoal.nn.layers.base import ArraySpec, Place, TrainableLayer
from shoal.nn.layers.fixed import fixed_arrays, weigh_fixed
from shoal.nn.layers.integer import check_quantized, quantized_arrays, weigh
from shoal.nn.masks import Mask, as_mask
from shoal.nn.quantization import is_fixed
from shoal.nn.shapes import Shape, positive

if TYPE_CHECKING:
    from shoal.nn.graph import Graph, Ref
    from shoal.nn.initializers import Initializer

__all__ = ["Dense"]


@dataclass(frozen=True, slots=True, repr=False)
class Dense(TrainableLayer):
    """Every output a weighted sum of every input: ``y = activation(x @ weights + bias)``.

    Parameters
    ----------
    units
        Number of outputs.
    activation
        Name of the function of the sums, None for none.
    bias
        Whether a number is added to each sum.
    init
        How the weights are drawn; the bias starts at 0.
    reserve
        Outputs held for classes that are met later; only on the last layer. Their weights are drawn with the
        others and take memory; they are not computed before the class is taken into use.

    Examples
    --------
    >>> Dense(32, "tanh").arrays((4,))["weights"].shape
    (4, 32)
    """

    kind: ClassVar[str] = "dense"

    units: int
    activation: ActivationName | None = None
    _: KW_ONLY
    bias: bool = True
    init: Initializer = "glorot_uniform"
    reserve: int = 0

    def check(self) -> None:
        """Raise ConfigError where an argument cannot be used."""
        TrainableLayer.check(self)
        positive(self.units, "units")
        if self.reserve != 0 or isinstance(self.reserve, bool):
            positive(self.reserve, "reserve", 0xFFFF)
            if self.units + self.reserve > 0xFFFF:
                raise ConfigError(
                    f"units and reserve are {self.units + self.reserve:,} together, at most 65,535"
                )
        if self.activation is not None:
            check_activation(self.activation)
        if not isinstance(self.bias, bool):
            raise ConfigError(f"bias must be True or False, got {self.bias!r}")
        check_initializer(self.init)
        check_quantized(self, self.activation)
        if self.quantized is not None and self.reserve:
            raise ConfigError("a quantized Dense has no reserve", hint="reserve=0")

    @property
    def capacity(self) -> int:
        """Outputs in use and in reserve."""
        return self.units + self.reserve

    def arrays(self, shape: Shape) -> dict[str, ArraySpec]:
        """Return weights (inputs, outputs) and bias (outputs,); on int8, weights (outputs, inputs)."""
        (inputs,) = shape
        if is_fixed(self.quantized):
            return fixed_arrays(inputs, self.units, self.init, bias=self.bias)
        if self.quantized is not None:
            return quantized_arrays(self.quantized, (self.units, inputs), self.units, bias=self.bias)
        specs = {"weights": ArraySpec((inputs, self.capacity), self.init, inputs, self.units)}
        if self.bias:
            specs["bias"] = ArraySpec((self.capacity,), "zeros")
        return specs

    def macs(self, shape: Shape, out: Shape) -> int:
        """Return inputs times outputs."""
        return shape[0] * out[0]

    def mask(self, shape: Shape) -> Mask:
        """Return what learns."""
        del shape
        return as_mask(self.trainable, self.capacity, bias=self.bias)

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Append the sum and its activation."""
        if len(x.shape) != 1:
            raise ConfigError(f"Dense takes a flat value, got {x.shape}", hint="nn.Flatten() before it")
        if is_fixed(self.quantized):
            return weigh_fixed(
                self, graph, x, place, units=self.units, activation=self.activation, bias=self.bias
            )
        if self.quantized is not None:
            shape = (1, self.units, x.shape[0])
            return weigh(
                Code.DENSE,
                self,
                graph,
                x,
                place,
                weights=shape,
                out=(self.units,),
                activation=self.activation,
                bias=self.bias,
            )
        weights = Stored(f"{place.name}.weights", (1, x.shape[0], self.capacity))
        bias = Stored(f"{place.name}.bias", (1, 1, self.capacity)) if self.bias else None
        out = graph.value((self.capacity,), grows=self.reserve > 0)
        y = graph.add(Op(Code.DENSE, place.number, x, out, weights=weights, bias=bias))
        return activate(graph, y, place, self.activation)
