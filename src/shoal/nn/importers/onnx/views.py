"""ONNX operators that only look at values in another way: nothing is computed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from shoal.nn.importers.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.nn.importers.call import Call, Operator
    from shoal.nn.importers.draft import Draft
    from shoal.nn.importers.value import Value

__all__ = ["VIEWS"]


def flatten(draft: Draft, call: Call) -> Value:
    """Return two axes instead of many."""
    x = call.value()
    shape, axis = draft.in_file(x), call.integer("axis", 1)
    if not -len(shape) <= axis <= len(shape):
        raise ModelError(f"Flatten at axis {axis} of {x.view.shape}")
    return draft.reshape(x, [math.prod(shape[:axis]), math.prod(shape[axis:])])


def reshape(draft: Draft, call: Call) -> Value:
    """Return the same values with another shape."""
    x, wanted = call.value(), list(call.integers(1))
    shape, zero = draft.in_file(x), call.flag("allowzero")
    for axis, size in enumerate(wanted):
        if size == 0 and not zero and axis < len(shape):
            wanted[axis] = shape[axis]
    return draft.reshape(x, wanted)


def squeeze(draft: Draft, call: Call) -> Value:
    """Return the same values without axes of size 1."""
    x = call.value()
    return draft.squeeze(x, call.axes("axes" if "axes" in call.arguments else 1, len(x.view.shape)))


def unsqueeze(draft: Draft, call: Call) -> Value:
    """Return the same values with more axes of size 1."""
    x, key = call.value(), "axes" if "axes" in call.arguments else 1
    return draft.unsqueeze(x, call.axes(key, len(x.view.shape) + len(call.integers(key))))


def transpose(draft: Draft, call: Call) -> Value:
    """Return the same values with the axes in another order."""
    x = call.value()
    return draft.transpose(x, call.integers("perm", tuple(reversed(range(len(x.view.shape))))))


def shape_of(draft: Draft, call: Call) -> NDArray[np.int64]:
    """Return the shape, which is known."""
    shape = np.array(draft.in_file(call.value()), np.int64)
    end = call.integer("end", len(shape))
    return shape[call.integer("start", 0) : end]


VIEWS: dict[str, Operator] = {
    "Flatten": flatten,
    "Reshape": reshape,
    "Shape": shape_of,
    "Squeeze": squeeze,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}
