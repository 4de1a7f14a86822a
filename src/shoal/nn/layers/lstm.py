"""The recurrent layer with gates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from shoal.errors import ConfigError
from shoal.nn.graph import QUANTIZED, Code, Derived, Op, Remembered, Stored
from shoal.nn.layers.base import ArraySpec, Layer, Place, is_number
from shoal.nn.layers.integer import input_of
from shoal.nn.quantization import Quantization, is_fixed, lstm_numbers
from shoal.nn.shapes import Shape, positive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from shoal.nn.graph import Graph, Ref

__all__ = ["LSTM"]

GATES = 4  # input, forget, cell, output
LEAST_CELL_BITS, MOST_CELL_BITS = 9, 15


@dataclass(frozen=True, slots=True, repr=False)
class LSTM(Layer):
    """A row of answers for each row of the input, in order; the layer remembers cells and its last answer.

    What it remembers stays from one sample to the next, until the network is reset. Nothing of it learns.

    Parameters
    ----------
    units
        Number of cells, and of outputs.
    clip
        Largest absolute value of a cell; 0: any.
    quantized
        How input and answer are quantized, int8; None: in float32.
    cell
        How cells are quantized then: int16 in fixed point, of 9 to 15 fraction bits.

    Examples
    --------
    >>> from shoal import nn
    >>> nn.Network([LSTM(20), nn.Flatten(), nn.Dense(10)], input_shape=(1, 28, 28)).output_shape
    (10,)

    References
    ----------
    Gers, Schmidhuber, Cummins, Learning to forget: continual prediction with LSTM (2000).
    """

    kind: ClassVar[str] = "lstm"

    units: int
    clip: float = 0.0
    quantized: Quantization | None = None
    cell: Quantization | None = None

    def check(self) -> None:
        """Raise ConfigError where an argument cannot be used."""
        Layer.check(self)
        positive(self.units, "units")
        if not (is_number(self.clip) and self.clip >= 0):
            raise ConfigError(f"clip must be at least 0, got {self.clip!r}", hint="clip=10.0")
        if self.quantized is None and self.cell is None:
            return
        if not (isinstance(self.quantized, Quantization) and self.quantized.dtype == "int8"):
            raise ConfigError(f"quantized is {self.quantized!r}", hint="a Quantization of int8, and cell=...")
        if not is_fixed(self.cell) or not LEAST_CELL_BITS <= self.cell.fraction_bits <= MOST_CELL_BITS:
            raise ConfigError(f"cell is {self.cell!r}", hint='nn.Quantization("int16", 2**-12, 0)')

    def arrays(self, shape: Shape) -> dict[str, ArraySpec]:
        """Return weights (units, 4, inputs + units), biases (units, 4), and on int8 scales (4, 2).

        Gates are input, forget, cell, output; a gate has a scale for the inputs and one for the last answer.
        """
        row, dtype = shape[-1] + self.units, "float32" if self.quantized is None else "int8"
        weights = ArraySpec((self.units, GATES, row), "glorot_uniform", row, self.units)
        if self.quantized is None:
            return {"weights": weights, "bias": ArraySpec((self.units, GATES), "zeros")}
        return {
            "weights": ArraySpec(weights.shape, "zeros", dtype=dtype),
            "bias": ArraySpec((self.units, GATES), "zeros", dtype="int32"),
            "scales": ArraySpec((GATES, 2), "ones"),
        }

    def macs(self, shape: Shape, out: Shape) -> int:
        """Return rows times weights."""
        return shape[0] * shape[1] * GATES * self.units * (shape[2] + out[2])

    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Append the operation."""
        if len(x.shape) != 3:
            raise ConfigError(
                f"LSTM takes rows, got {x.shape}", hint="nn.Reshape((1, rows, inputs)) before it"
            )
        name, q = place.name, self.quantized
        height, width, inputs = x.shape
        given = None if q is None else input_of(self, x)
        if given is not None and given.dtype != "int8":
            raise ConfigError(f"int8 from {given.dtype}", hint="an input of int8")

        def numbers(arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
            biases = arrays[f"{name}.bias"].reshape(-1)
            if given is None or q is None or self.cell is None:
                return biases
            return np.concatenate(
                [lstm_numbers(given, arrays[f"{name}.scales"], self.cell, q, self.clip), biases]
            )

        kept, zero = (1, 1, self.units), 0 if q is None else q.zero_point
        types = ("float32", "float32") if q is None else ("int8", "int16")
        return graph.add(
            Op(
                Code.LSTM + QUANTIZED * (q is not None),
                place.number,
                x,
                graph.value((height, width, self.units), quantization=q),
                weights=Stored(f"{name}.weights", (1, GATES * self.units, inputs + self.units)),
                aux=Derived(numbers, (1, 1, (20 if q is not None else 0) + GATES * self.units)),
                numbers=(self.clip, 0.0),
                memories=(
                    Remembered(f"{name}.hidden", kept, types[0], zero),
                    Remembered(f"{name}.cells", kept, types[1]),
                ),
            )
        )
