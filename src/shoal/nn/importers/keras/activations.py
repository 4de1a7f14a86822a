"""What the layers of Keras share: a bias and an activation of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from shoal.nn.importers.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from shoal.nn.importers.call import Call
    from shoal.nn.importers.draft import Draft
    from shoal.nn.importers.value import Value

__all__ = ["Maker", "activated", "bias_of"]

Maker: TypeAlias = "Callable[[Draft, Call], Value]"

ACTIVATIONS = ("relu", "relu6", "tanh", "sigmoid", "softmax")
KERAS_SLOPE = 0.2


def bias_of(call: Call, number: int) -> NDArray[Any] | None:
    """Return the bias, None for a layer without one."""
    return call.weights(f"array {number}", 1) if call.integer("use_bias", 1) else None


def activated(draft: Draft, call: Call, x: Value) -> Value:
    """Return the activation of a layer."""
    name = call.get("activation")
    if isinstance(name, dict):
        name = name.get("config")
    if name in (None, "linear"):
        return x
    if name == "leaky_relu":
        return draft.activation(x, "leaky_relu", KERAS_SLOPE)
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise ModelError(f"activation {name!r} is not supported", hint=", ".join(ACTIVATIONS))
    if name == "softmax":
        return draft.softmax(x, [len(x.view.shape) - 1])
    return draft.activation(x, name)  # type: ignore[arg-type]  # one of ACTIVATIONS
