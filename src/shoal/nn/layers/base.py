"""What every layer answers: its arrays, its output shape, its operations."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from shoal.errors import ConfigError

if TYPE_CHECKING:
    from shoal.nn.graph import Graph, Ref
    from shoal.nn.initializers import Initializer
    from shoal.nn.masks import Mask, Trainable
    from shoal.nn.quantization import Quantization
    from shoal.nn.shapes import Shape

__all__ = ["ArraySpec", "Layer", "Place", "TrainableLayer", "differs", "is_number"]

LARGEST = 1e30
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_/-]{0,99}")


class ArraySpec(NamedTuple):
    """A parameter array: its shape and how it is drawn; drawn integers have this many fraction bits."""

    shape: Shape
    init: Initializer
    fan_in: int = 1
    fan_out: int = 1
    dtype: str = "float32"
    bits: int = 0


class Place(NamedTuple):
    """Where a layer stands in its network: its number in the image and its name."""

    number: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Layer(ABC):
    """One step of a network.

    Parameters
    ----------
    name
        Unique in the network; by default the kind and a number, ``dense_1``.
    """

    kind: ClassVar[str]

    name: str | None = None

    def default_name(self) -> str:
        """Return the stem of the name that the layer gets when it has none."""
        return self.kind

    def __repr__(self) -> str:
        given = ((field, getattr(self, field.name)) for field in fields(self))
        shown = (f"{field.name}={value!r}" for field, value in given if differs(value, field.default))
        return f"{type(self).__name__}({', '.join(shown)})"

    @property
    def on_integers(self) -> bool:
        """Whether the layer takes an input of integers as it is; for others it is dequantized first."""
        return getattr(self, "quantized", None) is not None

    def check(self) -> None:
        """Raise ConfigError where an argument cannot be used, whatever the input."""
        name: object = self.name
        if name is not None and not (isinstance(name, str) and NAME.fullmatch(name)):
            raise ConfigError(
                f"{name!r} cannot be a layer's name",
                hint="letters, digits, '_', '-' and '/', at most 100",
            )

    def arrays(self, shape: Shape) -> dict[str, ArraySpec]:
        """Return the parameter arrays for an input of this shape, weights first."""
        del shape
        return {}

    def macs(self, shape: Shape, out: Shape) -> int:
        """Return the multiply-accumulates of one sample."""
        del shape, out
        return 0

    def mask(self, shape: Shape) -> Mask | None:
        """Return what learns, None for a layer without parameters."""
        del shape
        return None

    @abstractmethod
    def lower(self, graph: Graph, x: Ref, place: Place) -> Ref:
        """Append the forward operations to the graph and return the output."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TrainableLayer(Layer):
    """A layer with parameters.

    Parameters
    ----------
    trainable
        True: weights and bias learn. False: neither; they stay in flash. "bias": only the bias.
        A slice or a sequence of output channels: only these.
    quantized
        How the answer is quantized; the layer then computes on integers, as TensorFlow Lite's reference
        kernels do, or on int16 in fixed point, and its integer parameters learn where `trainable` says so.
        None: in float32.
    weights_zero_point
        Of quantized weights: 0 for int8, 0 to 255 for uint8.
    """

    trainable: Trainable = True
    quantized: Quantization | None = None
    weights_zero_point: int = 0


def differs(value: object, default: object) -> bool:
    """Tell whether an argument is not its default; 1 is not True."""
    return default is MISSING or type(value) is not type(default) or value != default


def is_number(value: object) -> bool:
    """Tell whether a value is a real number of sensible size."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST < value < LARGEST
