"""The ways between float32 and integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from shoal.errors import ConfigError
from shoal.nn.graph import QUANTIZED, Code, Op
from shoal.nn.layers.base import Layer, Place
from shoal.nn.layers.integer import constant, dequantize
from shoal.nn.quantization import Quantization, lookup_table, requantize_numbers

if TYPE_CHECKING:
    from shoal.nn.graph import Graph, Ref

__all__ = ["Dequantize", "Quantize"]


@dataclass(frozen=True, slots=True, repr=False)
class Quantize(Layer):
    """The nearest integers, ``round(x / scale) + zero_point``, halves away from 0.

    Parameters
    ----------
    quantized
        Scale, zero point and type of the integers. A value that is quantized otherwise is converted.

    Examples
    --------
    >>> from shoal import nn
    >>> nn.Network([Quantize(nn.Quantization("int8", 0.5, 3))], input_shape=(4,)).output_shape
    (4,)
    """

    kind: ClassVar[str] = "quantize"

    quantized: Quantization

    def check(self) -> None:
        """Raise ConfigError where an argument cannot be used."""
        Layer.check(self)
        if not isinstance(self.quantized, Quantization):
            raise ConfigError(f"Quantize takes a Quantization, got {self.quantized!r}")

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Append the operation."""
        q = self.quantized
        out = graph.value(x.shape, quantization=q)
        if x.quantization is None:
            return graph.add(Op(Code.QUANTIZE, place.number, x, out, numbers=(q.scale, 0.0)))
        if {q.dtype, x.quantization.dtype} & {"int16", "int32"}:
            numbers = constant(requantize_numbers(x.quantization, q))
            return graph.add(Op(Code.REQUANTIZE, place.number, x, out, aux=numbers))
        table = constant(lookup_table("requantize", x.quantization, q))
        return graph.add(Op(QUANTIZED + Code.LOOKUP, place.number, x, out, aux=table))


@dataclass(frozen=True, slots=True, repr=False)
class Dequantize(Layer):
    """The real values that integers stand for, ``scale * (q - zero_point)``."""

    kind: ClassVar[str] = "dequantize"

    @property
    def on_integers(self) -> bool:
        """Takes integers as they are."""
        return True

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Append the operation; a float value stays as it is."""
        return dequantize(graph, x, place)
