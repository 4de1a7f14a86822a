"""ONNX operators on constants: exporters leave small computations of shapes and weights in the graph."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.onnx.reader import DTYPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from shoal.nn.importers.call import Call

__all__ = ["CONSTANTS", "computed"]

LARGEST = 1 << 24


def computed(call: Call) -> NDArray[Any]:
    """Return what an operator makes of constants.

    Raises
    ------
    ModelError
        Where it cannot be computed, or the result would be larger than any network here.
    """
    try:
        result = CONSTANTS[call.operator](call)
    except (ArithmeticError, IndexError, TypeError, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{call.operator} of constants cannot be computed: {error}") from None
    call.finish()
    return np.asarray(result)


def bounded(size: int) -> None:
    """Refuse a result that is too large, before it is made."""
    if size > LARGEST:
        raise ModelError(f"a constant of {size:,} values, at most {LARGEST:,} are possible")


def constant(call: Call) -> NDArray[Any]:
    """Return the one attribute that holds the value."""
    found = [
        key
        for key in ("value", "value_float", "value_int", "value_floats", "value_ints")
        if key in call.unread
    ]
    if len(found) != 1:
        raise ModelError("a Constant without a number as its value")
    value = call.get(found[0])
    return value if isinstance(value, np.ndarray) else np.array(value, "f4" if "float" in found[0] else "i8")


def cast(call: Call) -> NDArray[Any]:
    """Return the values as another type."""
    code = call.integer("to", 0)
    call.get("saturate")
    if code not in DTYPES:
        raise ModelError(f"Cast to type {code}")
    return call.array(0).astype(DTYPES[code])


def concat(call: Call) -> NDArray[Any]:
    """Return arrays behind each other."""
    arrays = [call.array(key) for key in sorted(key for key in call.arguments if isinstance(key, int))]
    bounded(sum(array.size for array in arrays))
    return np.concatenate(arrays, call.integer("axis", 0))


def constant_of_shape(call: Call) -> NDArray[Any]:
    """Return one value everywhere."""
    shape = call.integers(0)
    bounded(math.prod(shape))
    value = call.optional("value")
    return np.full(shape, np.float32(0) if value is None else value.reshape(()))


def gather(call: Call) -> NDArray[Any]:
    """Return chosen slices."""
    array, indices, axis = call.array(0), call.array(1), call.integer("axis", 0)
    bounded(indices.size * (array.size // max(array.shape[axis], 1)))
    return np.take(array, indices, axis)


def shape(call: Call) -> NDArray[Any]:
    """Return the shape, or a part of it."""
    sizes = call.array(0).shape
    return np.array(sizes[call.integer("start", 0) : call.integer("end", len(sizes))], np.int64)


def reshape(call: Call) -> NDArray[Any]:
    """Return the values with another shape."""
    array, wanted = call.array(0), list(call.integers(1))
    call.require("allowzero", None, 0)
    return array.reshape([array.shape[axis] if size == 0 else size for axis, size in enumerate(wanted)])


def piece(call: Call) -> NDArray[Any]:
    """Return a slice along some axes."""
    array, given = call.array(0), call.version < 10
    starts, ends = call.integers("starts" if given else 1), call.integers("ends" if given else 2)
    axes = call.integers("axes" if given else 3, tuple(range(len(starts))))
    steps = (1,) * len(starts) if given else call.integers(4, (1,) * len(starts))
    index = [slice(None)] * array.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        # Going backwards, an end before the first value cannot be written as a number.
        index[axis] = slice(start, None if step < 0 and end < -array.shape[axis] else end, step)
    return array[tuple(index)]


def squeeze(call: Call) -> NDArray[Any]:
    """Return the values without axes of size 1."""
    axes = call.integers("axes" if "axes" in call.arguments else 1)
    return np.squeeze(call.array(0), axes or None)


def unsqueeze(call: Call) -> NDArray[Any]:
    """Return the values with more axes of size 1."""
    return np.expand_dims(call.array(0), call.integers("axes" if "axes" in call.arguments else 1))


def transpose(call: Call) -> NDArray[Any]:
    """Return the axes in another order."""
    return np.transpose(call.array(0), call.integers("perm") or None)


def elementwise(function: Callable[..., NDArray[Any]]) -> Callable[[Call], NDArray[Any]]:
    """Return an operator on two arrays of one type."""

    def operator(call: Call) -> NDArray[Any]:
        a, b = call.array(0), call.array(1)
        bounded(math.prod(np.broadcast_shapes(a.shape, b.shape)))
        if a.dtype != b.dtype:
            raise ModelError(f"{call.operator} of {a.dtype} and {b.dtype}")
        result: NDArray[Any] = function(a, b)
        return result

    return operator


def divided(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return the quotient, of integers towards 0."""
    quotient: NDArray[Any] = a / b
    return quotient if a.dtype.kind == "f" else np.trunc(quotient).astype(a.dtype)


CONSTANTS: dict[str, Callable[[Call], NDArray[Any]]] = {
    "Add": elementwise(np.add),
    "Cast": cast,
    "Concat": concat,
    "Constant": constant,
    "ConstantOfShape": constant_of_shape,
    "Div": elementwise(divided),
    "Gather": gather,
    "Identity": lambda call: call.array(0),
    "Mul": elementwise(np.multiply),
    "Reshape": reshape,
    "Shape": shape,
    "Slice": piece,
    "Squeeze": squeeze,
    "Sub": elementwise(np.subtract),
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}
