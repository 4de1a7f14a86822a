"""ONNX operators on images: convolutions, pools, padding and resizing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.windows import two
from shoal.nn.layers.pool import AveragePool2D, MaxPool2D

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoal.nn.importers.call import Call, Operator
    from shoal.nn.importers.draft import Draft
    from shoal.nn.importers.value import Value
    from shoal.nn.importers.windows import Padding
    from shoal.nn.shapes import Shape

__all__ = ["WINDOWS"]

LARGEST_IMAGE = 1 << 14


def conv(draft: Draft, call: Call) -> Value:
    """Return a convolution, of all channels or of each alone."""
    x = call.value()
    axes = spatial_axes(x, call)
    weights, bias = call.weights(1, axes + 2), call.optional(2)
    kernel, groups = weights.shape[2:], call.integer("group", 1)
    call.require("kernel_shape", None, list(kernel))
    call.require("dilations", None, [1] * axes)
    filters, inputs = weights.shape[:2]
    by_filter = weights.reshape(filters, inputs, *two(kernel))
    depthwise = groups > 1
    if depthwise:
        channels = x.view.shape[1]
        if groups != channels or inputs != 1 or filters % channels:
            raise ModelError(
                f"Conv in {groups} groups of {channels} channels", hint="one group, or one for each"
            )
        by_filter = by_filter.reshape(channels, filters // channels, *two(kernel))
        arranged = by_filter.transpose(2, 3, 0, 1)
    else:
        arranged = by_filter.transpose(2, 3, 1, 0)
    stride = two(call.integers("strides", (1,) * axes))
    padding = padding_of(call, axes)
    return draft.conv(x, arranged, bias, stride=stride, padding=padding, depthwise=depthwise)


def max_pool(draft: Draft, call: Call) -> Value:
    """Return the largest value of each window."""
    call.get("storage_order")
    return pool(draft, call, MaxPool2D)


def average_pool(draft: Draft, call: Call) -> Value:
    """Return the mean value of each window."""
    padding = padding_of(call, spatial_axes(call.value(), call))
    if call.version < 7 and (isinstance(padding, str) or any(padding)):
        raise ModelError(f"before operator set 7 nothing says whether {call.operator} counts padding")
    return pool(draft, call, AveragePool2D, counted=call.flag("count_include_pad"))


def pool(draft: Draft, call: Call, kind: type[MaxPool2D | AveragePool2D], *, counted: bool = False) -> Value:
    """Return either pool."""
    x = call.value()
    axes = spatial_axes(x, call)
    call.require("dilations", None, [1] * axes)
    size = call.integers("kernel_shape")
    if len(size) != axes:
        raise ModelError(f"{call.operator} with kernel_shape {size}")
    stride = two(call.integers("strides", (1,) * axes))
    ceil = call.flag("ceil_mode")
    padding = padding_of(call, axes)
    return draft.pool(x, kind, two(size), stride=stride, padding=padding, ceil=ceil, counted=counted)


def global_average_pool(draft: Draft, call: Call) -> Value:
    """Return the mean of each channel."""
    x = call.value()
    return draft.mean(x, range(2, len(x.view.shape)), keep=True)


def global_max_pool(draft: Draft, call: Call) -> Value:
    """Return the largest value of each channel."""
    x = call.value()
    height, width, _ = draft.image(x)
    return draft.pool(x, MaxPool2D, (height, width), stride=(1, 1), padding=(0, 0, 0, 0))


def reduce_mean(draft: Draft, call: Call) -> Value:
    """Return the mean over height and width."""
    x = call.value()
    rank = len(x.view.shape)
    axes = call.axes("axes" if "axes" in call.arguments else 1, rank)
    if call.integer("noop_with_empty_axes", 0) and not axes:
        return x
    return draft.mean(x, axes or range(rank), keep=call.flag("keepdims", default=True))


def pad(draft: Draft, call: Call) -> Value:
    """Return zeros around height and width."""
    x = call.value()
    rank = len(x.view.shape)
    if call.text("mode", "constant") != "constant" or call.number(
        "value" if "value" in call.arguments else 2, 0.0
    ):
        raise ModelError("Pad with something else than zeros is not supported")
    given = call.integers("pads" if "pads" in call.arguments else 1)
    axes = call.axes(3, rank, range(rank))
    before, after = [0] * rank, [0] * rank
    if len(given) != 2 * len(axes):
        raise ModelError(f"Pad of {x.view.shape} with {given}")
    for place, axis in enumerate(axes):
        before[axis], after[axis] = given[place], given[place + len(axes)]
    if not any(before + after):
        return x
    if rank not in {3, 4} or before[0] or after[0]:
        raise ModelError(f"Pad of {x.view.shape} with {given}", hint="channels, height and width")
    top_left, bottom_right = two(before[2:], 0), two(after[2:], 0)
    return draft.pad(x, (*top_left, *bottom_right), channels=(before[1], after[1]))


def resize(draft: Draft, call: Call) -> Value:
    """Return an image whose rows and columns are the nearest ones of another."""
    x = call.value()
    spatial_axes(x, call)
    call.require("mode", None, "nearest")
    call.require("antialias", None, 0)
    call.require("keep_aspect_ratio_policy", None, "stretch")
    for key in ("cubic_coeff_a", "exclude_outside", "extrapolation_value"):
        call.get(key)
    shape, old = x.view.shape, call.operator == "Upsample" or call.version == 10
    mode = "asymmetric" if old else call.text("coordinate_transformation_mode", "half_pixel")
    choose = call.text("nearest_mode", "floor" if old else "round_prefer_floor")
    if mode not in MODES or choose not in ROUNDINGS:
        raise ModelError(f"{call.operator} with {mode} and {choose} is not supported")
    rows = [list(range(size)) for size in shape]
    for axis, size, scale in outputs_of(call, shape, draft.batch, old=old):
        places = coordinates(mode, scale, shape[axis], size)
        rows[axis] = [min(max(ROUNDINGS[choose](place), 0), shape[axis] - 1) for place in places]
    if any(rows[axis] != list(range(shape[axis])) for axis in (0, 1)):
        raise ModelError(f"{call.operator} of the batch or the channels is not supported")
    return draft.resize(x, *(rows[2:] if len(rows) == 4 else ([0], rows[2])))


def outputs_of(call: Call, shape: Shape, batch: int, *, old: bool) -> list[tuple[int, int, float]]:
    """Return the axes that are resized, each with its new size and scale."""
    axes = call.axes("axes", len(shape), range(len(shape)))
    if old:
        scales = call.array("scales" if "scales" in call.arguments else 1)
    else:
        call.get(1)
        scales = np.zeros(0) if call.get(2) is None else call.array(2)
    sizes = call.integers(3)
    given = list(zip(axes, sizes or scales.reshape(-1).tolist(), strict=False))
    if len(given) != len(axes):
        raise ModelError(f"{call.operator} of {len(axes)} axes by {len(given)} numbers")
    outputs = []
    for axis, number in given:
        whole = 1 if sizes and axis == 0 and number == batch else number
        size, scale = (whole, whole / shape[axis]) if sizes else (shape[axis] * whole, whole)
        if not (1 <= size <= LARGEST_IMAGE and scale > 0):
            raise ModelError(f"{call.operator} of {shape} by {number}")
        outputs.append((axis, int(size), float(scale)))
    return outputs


def coordinates(mode: str, scale: float, size: int, outputs: int) -> list[float]:
    """Return where in the input each output lies."""
    if mode == "align_corners":
        return [i * (size - 1) / max(outputs - 1, 1) for i in range(outputs)]
    if mode == "asymmetric":
        return [i / scale for i in range(outputs)]
    if mode == "pytorch_half_pixel" and outputs == 1:
        return [0.0]
    return [(i + 0.5) / scale - 0.5 for i in range(outputs)]


def spatial_axes(x: Value, call: Call) -> int:
    """Return 1 or 2, the number of axes beside batch and channels."""
    axes = len(x.view.shape) - 2
    if axes not in {1, 2}:
        raise ModelError(f"{call.operator} takes (1, channels, height, width), got {x.view.shape}")
    return axes


def padding_of(call: Call, axes: int) -> Padding:
    """Return the padding of a window."""
    automatic, pads = call.text("auto_pad", "NOTSET"), call.integers("pads", (0,) * 2 * axes)
    if len(pads) != 2 * axes or (automatic != "NOTSET" and any(pads)):
        raise ModelError(f"{call.operator} with auto_pad {automatic} and pads {pads}")
    match automatic:
        case "SAME_UPPER":
            return "same_upper"
        case "SAME_LOWER":
            return "same_lower"
        case "NOTSET" | "VALID":
            return (*two(pads[:axes], 0), *two(pads[axes:], 0))
        case _:
            raise ModelError(f"{call.operator} with auto_pad {automatic!r}")


MODES = ("align_corners", "asymmetric", "half_pixel", "pytorch_half_pixel")
ROUNDINGS: dict[str, Callable[[float], int]] = {
    "ceil": math.ceil,
    "floor": math.floor,
    "round_prefer_ceil": lambda x: math.floor(x + 0.5),
    "round_prefer_floor": lambda x: math.ceil(x - 0.5),
}

WINDOWS: dict[str, Operator] = {
    "AveragePool": average_pool,
    "Conv": conv,
    "GlobalAveragePool": global_average_pool,
    "GlobalMaxPool": global_max_pool,
    "MaxPool": max_pool,
    "Pad": pad,
    "ReduceMean": reduce_mean,
    "Resize": resize,
    "Upsample": resize,
}
