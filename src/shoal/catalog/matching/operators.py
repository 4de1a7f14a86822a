"""The operators of Shoal's own runtime: those that `shoal.nn` makes layers of, and its own layers."""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from shoal.catalog.matching.versions import at_least

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Operation", "known_operators", "shoal_operators"]

# The highest versions of TensorFlow Lite's operators that mean what the importer reads, for float32, int8,
# uint8 and int16; 0 where none is read. A version tells of types and options: of convolutions in float32, 2
# and 5 are those with int8 weights; of FULLY_CONNECTED in int8, 5 keeps dimensions, 6 has no bias, 12 has a
# scale for each output. Later ones are not known to mean the same.
VERSIONS = {
    "ADD": (1, 2, 1, 0),
    "AVERAGE_POOL_2D": (1, 2, 1, 0),
    "CONV_2D": (5, 3, 1, 0),
    "DEPTHWISE_CONV_2D": (6, 3, 1, 0),
    "DEQUANTIZE": (2, 2, 1, 0),
    "EXPAND_DIMS": (1, 1, 1, 0),
    "FULLY_CONNECTED": (9, 12, 6, 0),
    "LEAKY_RELU": (1, 2, 1, 0),
    "LOGISTIC": (1, 2, 1, 0),
    "MAX_POOL_2D": (1, 2, 1, 0),
    "MEAN": (1, 2, 1, 0),
    "PAD": (1, 2, 1, 0),
    "QUANTIZE": (2, 2, 2, 1),
    "RELU": (1, 2, 1, 0),
    "RELU6": (1, 2, 1, 0),
    "RESHAPE": (1, 1, 1, 0),
    "RESIZE_NEAREST_NEIGHBOR": (3, 3, 3, 0),
    "SOFTMAX": (1, 2, 1, 0),
    "SQUEEZE": (1, 1, 1, 0),
    "SVDF": (0, 3, 0, 0),
    "TANH": (1, 2, 1, 0),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (1, 1, 0, 0),
}
DTYPES = ("float32", "int8", "uint8", "int16")
# The newest operator set of ONNX that the importer was tested with.
ONNX_OPERATORS = 28
# The first version of the runtime that has them all.
SINCE = "0.1.0"


class Operation(NamedTuple):
    """An operator: as the document of a model has it, without the count."""

    name: str
    version: int
    dtype: str

    def __str__(self) -> str:
        return f"{self.name} (version {self.version}, {self.dtype})"


@cache
def shoal_operators() -> Mapping[tuple[str, str], int]:
    """Return the highest version by name and type that Shoal's runtime has.

    An operator in the list may still have options that are refused, a dilation for instance: `shoal.nn.load`
    has the last word.

    Examples
    --------
    >>> shoal_operators()["CONV_2D", "int8"], ("SVDF", "float32") in shoal_operators()
    (3, False)
    """
    from shoal.nn import layers
    from shoal.nn.importers.onnx.constants import CONSTANTS
    from shoal.nn.importers.onnx.operators import OPERATORS
    from shoal.nn.importers.tflite.operators import MAKERS

    table = {
        (name, dtype): version
        for name in MAKERS
        for dtype, version in zip(DTYPES, VERSIONS.get(name, ()), strict=False)
        if version
    }
    table |= {(f"onnx:{name}", "float32"): ONNX_OPERATORS for name in OPERATORS}
    # What computes shapes and weights, of any type, is done when the file is read.
    table |= {(f"onnx:{name}", "*"): ONNX_OPERATORS for name in CONSTANTS}
    table |= {(f"shoal:{name}", "*"): 1 for name in layers.__all__}
    return MappingProxyType(table)


def known_operators(runtime: str, version: str) -> Mapping[tuple[str, str], int] | None:
    """Return the operators of a version of a runtime; None where they are not known.

    Known are those of Shoal. A device that does not say which version it has is taken to have a recent one.
    """
    if runtime != "shoal" or (version and not at_least(version, SINCE)):
        return None
    return shoal_operators()
