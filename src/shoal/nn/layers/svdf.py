"""Filters over time, as keyword spotters have them."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from shoal.errors import ConfigError
from shoal.nn.graph import QUANTIZED, Code, Derived, Op, Remembered, Stored
from shoal.nn.layers.base import ArraySpec, Layer, Place
from shoal.nn.layers.integer import input_of
from shoal.nn.quantization import Quantization, svdf_numbers
from shoal.nn.shapes import Shape, positive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from shoal.nn.graph import Graph, Ref

__all__ = ["SVDF"]


@dataclass(frozen=True, slots=True, repr=False)
class SVDF(Layer):
    """Filters with weights of the input and weights of time, on int8; the layer remembers earlier samples.

    A filter's weighted sum of a sample joins those of the samples before it; the weighted sum of these over
    time is its answer. A unit adds the answers of its filters and a bias. Nothing of it learns.

    Parameters
    ----------
    units
        Number of outputs.
    memory
        Samples that a filter looks at, the newest included.
    rank
        Filters of each unit.
    quantized
        How the answer is quantized: int8.
    state
        How sums over a sample are quantized, and with them the type of the weights of time: int8, or int16
        with zero point 0.

    Examples
    --------
    >>> from shoal import nn
    >>> q = nn.Quantization("int8", 0.05, -128)
    >>> SVDF(16, 8, quantized=q, state=nn.Quantization("int16", 0.004, 0)).arrays((40,))["times"].shape
    (16, 8)

    References
    ----------
    Nakkiran, Alvarez, Prabhavalkar, Parada, Compressing deep neural networks using a rank-constrained
    topology (Interspeech 2015).
    """

    kind: ClassVar[str] = "svdf"

    units: int
    memory: int
    rank: int = 1
    _: KW_ONLY
    quantized: Quantization
    state: Quantization

    def check(self) -> None:
        """Raise ConfigError where an argument cannot be used."""
        Layer.check(self)
        for name in ("units", "memory", "rank"):
            positive(getattr(self, name), name)
        for name, types in (("quantized", {"int8"}), ("state", {"int8", "int16"})):
            q = getattr(self, name)
            if not (isinstance(q, Quantization) and q.dtype in types):
                raise ConfigError(f"{name} is {q!r}", hint=f"a Quantization of {' or '.join(sorted(types))}")
        if self.state.dtype == "int16" and self.state.zero_point != 0:
            raise ConfigError(f"zero_point of state must be 0, got {self.state.zero_point}")

    @property
    def filters(self) -> int:
        """Filters of all units."""
        return self.units * self.rank

    def arrays(self, shape: Shape) -> dict[str, ArraySpec]:
        """Return weights of the input (filters, inputs) and of time (filters, memory), bias, two scales."""
        return {
            "features": ArraySpec((self.filters, shape[0]), "zeros", dtype="int8"),
            "times": ArraySpec((self.filters, self.memory), "zeros", dtype=self.state.dtype),
            "bias": ArraySpec((self.units,), "zeros", dtype="int32"),
            "scales": ArraySpec((2,), "ones"),
        }

    def macs(self, shape: Shape, out: Shape) -> int:
        """Return filters times inputs and samples remembered."""
        del out
        return self.filters * (shape[0] + self.memory)

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Append the operation."""
        if len(x.shape) != 1:
            raise ConfigError(f"SVDF takes a flat value, got {x.shape}", hint="nn.Flatten() before it")
        given, name = input_of(self, x), place.name
        if given.dtype != "int8":
            raise ConfigError(f"int8 from {given.dtype}", hint="an input of int8")

        def numbers(arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
            scales = svdf_numbers(given, arrays[f"{name}.scales"], self.state, self.quantized)
            return np.concatenate([scales, arrays[f"{name}.bias"]])

        kept = (1, self.filters, self.memory)
        zero = self.state.zero_point
        return graph.add(
            Op(
                QUANTIZED + Code.SVDF,
                place.number,
                x,
                graph.value((self.units,), quantization=self.quantized),
                weights=Stored(f"{name}.features", (1, self.filters, x.shape[0])),
                bias=Stored(f"{name}.times", kept),
                aux=Derived(numbers, (1, 1, 4 + self.units)),
                memories=(Remembered(f"{name}.state", kept, self.state.dtype, zero),),
            )
        )
