"""Layers as JSON values and back."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from shoal.errors import ConfigError, StateError
from shoal.nn.layers.activation import Activation
from shoal.nn.layers.base import Layer, differs
from shoal.nn.layers.conv import Conv2D, DepthwiseConv2D
from shoal.nn.layers.dense import Dense
from shoal.nn.layers.lstm import LSTM
from shoal.nn.layers.normalization import GroupNorm, Standardize
from shoal.nn.layers.padding import Pad2D, ResizeNearest
from shoal.nn.layers.pool import AveragePool2D, GlobalAveragePool2D, MaxPool2D
from shoal.nn.layers.quantize import Dequantize, Quantize
from shoal.nn.layers.reshape import Flatten, Reshape
from shoal.nn.layers.residual import Residual
from shoal.nn.layers.svdf import SVDF
from shoal.nn.quantization import Quantization

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Json", "layers_from_json", "layers_to_json", "quantization_from_json", "value_to_json"]

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

KINDS: dict[str, type[Layer]] = {
    kind.__name__: kind
    for kind in (
        Activation,
        AveragePool2D,
        Conv2D,
        Dense,
        DepthwiseConv2D,
        Dequantize,
        Flatten,
        GlobalAveragePool2D,
        GroupNorm,
        LSTM,
        MaxPool2D,
        Pad2D,
        Quantize,
        Reshape,
        Residual,
        ResizeNearest,
        SVDF,
        Standardize,
    )
}
DEEPEST = 16


def layers_to_json(layers: Iterable[Layer]) -> list[Json]:
    """Return one object for each layer: its class and every argument that is not the default."""
    return [layer_to_json(layer) for layer in layers]


def layer_to_json(layer: Layer) -> Json:
    """Return the class as "layer" and the arguments."""
    result: dict[str, Json] = {"layer": type(layer).__name__}
    if isinstance(layer, Residual):
        result["layers"] = layers_to_json(layer.layers)
        result["shortcut"] = layers_to_json(layer.shortcut)
        for name in ("quantized", "activation"):
            if getattr(layer, name) is not None:
                result[name] = value_to_json(getattr(layer, name))
        result["name"] = layer.name
        return result
    for field in fields(layer):
        value = getattr(layer, field.name)
        if differs(value, field.default):
            result[field.name] = value_to_json(value)
    return result


def value_to_json(value: object) -> Json:
    """Return an argument; a slice as an object, any sequence as a list."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Quantization):
        return {"quantization": [value.dtype, value.scale, value.zero_point]}
    if isinstance(value, slice):
        return {"slice": [value_to_json(part) for part in (value.start, value.stop, value.step)]}
    if isinstance(value, float):
        return value
    if hasattr(value, "__index__"):
        return int(value.__index__())
    return [value_to_json(part) for part in cast("Iterable[object]", value)]


def layers_from_json(value: Json, where: str, depth: int = 0) -> list[Layer]:
    """Return the layers, unchecked but for their arguments' names.

    Raises
    ------
    StateError
        Where the value is not what :func:`layers_to_json` writes.
    """
    if not isinstance(value, list) or depth > DEEPEST:
        raise StateError("the layers are no list", where=where)
    return [layer_from_json(entry, where, depth) for entry in value]


def layer_from_json(entry: Json, where: str, depth: int) -> Layer:
    """Return one layer."""
    if not isinstance(entry, dict):
        raise StateError(f"a layer is no object: {entry!r}", where=where)
    arguments = dict(entry)
    kind = arguments.pop("layer", None)
    if not isinstance(kind, str) or kind not in KINDS:
        raise StateError(f"unknown layer {kind!r}", where=where, hint="a newer version of shoal")
    if kind == "Residual":
        branch = layers_from_json(arguments.pop("layers", None), where, depth + 1)
        shortcut = layers_from_json(arguments.pop("shortcut", None), where, depth + 1)
        if not {"name", "quantized", "activation"}.issuperset(arguments):
            raise StateError("a Residual has other arguments than it takes", where=where)
        return made(lambda **rest: Residual(*branch, shortcut=shortcut, **rest), kind, arguments, where)
    known = {field.name for field in fields(KINDS[kind])}
    if not known.issuperset(arguments):
        raise StateError(
            f"{kind} takes no {min(set(arguments) - known)!r}", where=where, hint="a newer version of shoal"
        )
    return made(KINDS[kind], kind, arguments, where)


def made(make: Callable[..., Layer], kind: str, arguments: dict[str, Json], where: str) -> Layer:
    """Return a layer of these arguments."""
    try:
        return make(**{name: value_from_json(part) for name, part in arguments.items()})
    except (TypeError, ValueError, ConfigError) as error:
        raise StateError(f"{kind} cannot be made: {error}", where=where) from None


def value_from_json(value: Json) -> object:
    """Return an argument."""
    if isinstance(value, list):
        return tuple(value_from_json(part) for part in value)
    if isinstance(value, dict):
        if list(value) == ["quantization"]:
            return quantization_from_json(value)
        parts = value.get("slice")
        if len(value) != 1 or not isinstance(parts, list) or len(parts) != 3:
            raise ValueError("not a slice")
        if not all(part is None or type(part) is int for part in parts):
            raise ValueError("not a slice")
        return slice(*parts)
    return value


def quantization_from_json(value: Json) -> Quantization | None:
    """Return what :func:`value_to_json` wrote of a quantization, or None.

    Raises
    ------
    ValueError
        Where it is something else.
    """
    if value is None:
        return None
    parts = value.get("quantization") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(parts, list) or len(parts) != 3:
        raise ValueError("not a quantization")
    dtype, scale, zero_point = parts
    if type(scale) is not float or type(zero_point) is not int:
        raise ValueError("not a quantization")
    return Quantization(cast("Any", dtype), scale, zero_point)
