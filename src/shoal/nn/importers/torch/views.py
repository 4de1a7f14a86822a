"""ATen operators that only look at values in another way: nothing is computed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from shoal.nn.importers.errors import ModelError

if TYPE_CHECKING:
    from shoal.nn.importers.call import Call, Operator
    from shoal.nn.importers.draft import Draft
    from shoal.nn.importers.value import Value

__all__ = ["VIEWS"]


def flatten(draft: Draft, call: Call) -> Value:
    """Return one axis instead of several neighbours."""
    x = call.value("self")
    shape = draft.in_file(x)
    start, end = call.axis("start_dim", len(shape)), call.axis("end_dim", len(shape), -1)
    return draft.reshape(x, [*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]])


def unflatten(draft: Draft, call: Call) -> Value:
    """Return several axes instead of one."""
    x = call.value("self")
    shape = draft.in_file(x)
    axis = call.axis("dim", len(shape))
    return draft.reshape(x, [*shape[:axis], *call.integers("sizes"), *shape[axis + 1 :]])


def view(draft: Draft, call: Call) -> Value:
    """Return the same values with another shape."""
    return draft.reshape(call.value("self"), call.integers("shape" if "shape" in call.arguments else "size"))


def squeeze(draft: Draft, call: Call) -> Value:
    """Return the same values without axes of size 1."""
    x = call.value("self")
    axes = call.axes("dim", len(x.view.shape))
    chosen = [axis for axis in axes if x.view.shape[axis] == 1]
    # An axis of another size stays, and so does the batch, which is 1 only here.
    if axes and (not chosen or (0 in chosen and draft.batch != 1)):
        raise ModelError(f"squeeze of the axes {axes} of {x.view.shape}")
    return draft.squeeze(x, chosen)


def unsqueeze(draft: Draft, call: Call) -> Value:
    """Return the same values with one more axis of size 1."""
    x = call.value("self")
    return draft.unsqueeze(x, [call.axis("dim", len(x.view.shape) + 1)])


def permute(draft: Draft, call: Call) -> Value:
    """Return the axes in another order."""
    x = call.value("self")
    return draft.transpose(x, call.axes("dims", len(x.view.shape)))


def transpose(draft: Draft, call: Call) -> Value:
    """Return the value with two axes exchanged."""
    x = call.value("self")
    order = list(range(len(x.view.shape)))
    a, b = call.axis("dim0", len(order)), call.axis("dim1", len(order))
    order[a], order[b] = order[b], order[a]
    return draft.transpose(x, order)


def size(draft: Draft, call: Call) -> int:
    """Return one size of a value."""
    shape = draft.in_file(call.value("self"))
    return shape[call.axis("dim", len(shape))]


VIEWS: dict[str, Operator] = {
    "_unsafe_view": view,
    "flatten": flatten,
    "permute": permute,
    "reshape": view,
    "squeeze": squeeze,
    "sym_size": size,
    "transpose": transpose,
    "unflatten": unflatten,
    "unsqueeze": unsqueeze,
    "view": view,
}
