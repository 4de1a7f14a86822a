"""What tensors of a TensorFlow Lite file are to layers: shapes, quantizations, constants, weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from shoal.nn.importers.errors import ModelError
from shoal.nn.quantization import Quantization

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.nn.importers.tflite.reader import Operator, Tensor
    from shoal.nn.shapes import Shape

__all__ = [
    "WIDE",
    "bias",
    "check_scales",
    "constant",
    "image_shape",
    "integers",
    "quantization",
    "sample_shape",
    "weights",
    "zero_point",
]

SMALLEST, LARGEST = 1e-30, 1e30
LARGEST_RATIO = 2.0**29
INTEGERS = {"INT8": "int8", "UINT8": "uint8"}
WIDE = {"INT16": "int16", "INT32": "int32"}


def sample_shape(tensor: Tensor) -> Shape:
    """Return the shape of one sample: without the batch of 1, as (n,) or (height, width, channels)."""
    sizes = tensor.shape
    if len(sizes) > 1 and sizes[0] in (1, -1):
        sizes = sizes[1:]
    if min(sizes, default=1) < 1:
        raise ModelError(f"a value of the shape {tensor.shape}", hint="a model whose shapes are all known")
    if len(sizes) in (2, 3):
        return (1,) * (3 - len(sizes)) + sizes
    return (math.prod(sizes),)


def image_shape(tensor: Tensor) -> Shape:
    """Return (height, width, channels) of a value that has them."""
    if len(tensor.shape) != 4 or tensor.shape[0] not in (1, -1):
        raise ModelError(f"takes (1, height, width, channels), got {tensor.shape}", hint="a batch of 1")
    return sample_shape(tensor)


def quantization(tensor: Tensor) -> Quantization | None:
    """Return how a value is quantized, None for float32."""
    if tensor.dtype == "FLOAT32":
        return None
    types = INTEGERS | WIDE
    if tensor.dtype not in types:
        raise ModelError(f"values of type {tensor.dtype} are not supported", hint="FLOAT32, INT8, UINT8")
    if tensor.scales.size != 1 or tensor.zero_points.size > 1:
        raise ModelError(f"a value of type {tensor.dtype} with {tensor.scales.size} scales instead of one")
    if not SMALLEST <= tensor.scales[0] <= LARGEST:
        raise ModelError(f"a scale of {tensor.scales[0]:.3g}", hint=f"{SMALLEST} to {LARGEST}")
    dtype = cast("Literal['int8', 'uint8', 'int16', 'int32']", types[tensor.dtype])
    return Quantization(dtype, float(tensor.scales[0]), int(tensor.zero_points.sum()))


def check_scales(given: Quantization | None, wanted: Quantization | None, factor: float = 1.0) -> None:
    """Refuse a rescaling that fixed-point numbers cannot hold."""
    if given is None or wanted is None or given.scale * factor < LARGEST_RATIO * wanted.scale:
        return
    raise ModelError(
        f"an output scale of {wanted.scale:.3g} for an input scale of {given.scale * factor:.3g}"
    )


def constant(operator: Operator, index: int) -> Tensor:
    """Return an input that the file holds."""
    tensor = operator.inputs[index] if index < len(operator.inputs) else None
    if tensor is None or tensor.data is None or tensor.variable:
        raise ModelError(f"input {index} is not a constant")
    return tensor


def integers(operator: Operator, index: int, shape: tuple[int, ...]) -> list[Any]:
    """Return a constant of integers, such as axes or sizes; -1 in the shape is any size."""
    tensor = constant(operator, index)
    fits = len(tensor.shape) == len(shape) and all(
        w in (-1, g) for w, g in zip(shape, tensor.shape, strict=True)
    )
    if tensor.data is None or tensor.dtype not in ("INT32", "INT64") or not fits:
        raise ModelError(f"input {index} is {tensor.dtype} {tensor.shape}, not integers of {shape}")
    return cast("list[Any]", tensor.data.tolist())


def weights(operator: Operator, channels: int, q: Quantization | None) -> dict[str, NDArray[Any]]:
    """Return the weights as the file orders them, with a scale for each channel where they stay integers.

    Parameters
    ----------
    operator
        Its input 1 is the weights.
    channels
        Of the output, the last or the first size of the weights.
    q
        How the output is quantized. None: the weights are wanted as float32; where they are integers
        nevertheless, they become the real numbers that these stand for.
    """
    tensor = constant(operator, 1)
    wanted = "FLOAT32" if q is None else q.dtype.upper()
    if tensor.data is None or (tensor.dtype != wanted and (q is not None or tensor.dtype not in INTEGERS)):
        raise ModelError(f"weights of type {tensor.dtype} instead of {wanted}")
    if tensor.dtype == "FLOAT32":
        return {"weights": tensor.data}
    if (
        tensor.scales.size not in (1, channels)
        or not (np.isfinite(tensor.scales) & (tensor.scales >= 0)).all()
    ):
        raise ModelError(f"weights with {tensor.scales.size} scales for {channels} channels, or unsound ones")
    scales = np.broadcast_to(tensor.scales, channels)
    if q is not None:
        return {"weights": tensor.data, "scales": scales}
    first = operator.name != "DEPTHWISE_CONV_2D"
    by_channel = scales.reshape(-1, *(1,) * (tensor.data.ndim - 1)) if first else scales
    with np.errstate(over="ignore"):  # the network refuses what is not finite
        return {"weights": (tensor.data.astype(np.float32) - zero_point(operator)) * by_channel}


def zero_point(operator: Operator) -> int:
    """Return the one zero point of all weights, 0 where they have none."""
    values = set(constant(operator, 1).zero_points.tolist())
    if len(values) > 1:
        raise ModelError("weights with different zero points", hint="a model with symmetric weights")
    return int(values.pop()) if values else 0


def bias(
    operator: Operator, channels: int, q: Quantization | None, index: int = 2
) -> dict[str, NDArray[Any]]:
    """Return the bias by channel, nothing where the operator has none as input `index`."""
    if len(operator.inputs) <= index or operator.inputs[index] is None:
        return {}
    tensor, wanted = constant(operator, index), "FLOAT32" if q is None else "INT32"
    if (
        tensor.data is None
        or tensor.dtype != wanted
        or tensor.data.size != channels
        or tensor.zero_points.any()
    ):
        raise ModelError(f"a bias of {tensor.dtype} {tensor.shape} instead of {wanted} ({channels},)")
    return {"bias": tensor.data.reshape(-1)}
