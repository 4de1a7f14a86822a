"""ATen operators on images: convolutions, pools, padding and resizing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.windows import two
from shoal.nn.layers.pool import AveragePool2D, MaxPool2D

if TYPE_CHECKING:
    from shoal.nn.importers.call import Call, Operator
    from shoal.nn.importers.draft import Draft
    from shoal.nn.importers.value import Value
    from shoal.nn.importers.windows import Padding

__all__ = ["WINDOWS"]

LARGEST_IMAGE = 1 << 14


def conv(draft: Draft, call: Call) -> Value:
    """Return a convolution, of all channels or of each alone."""
    x = call.value("input")
    axes = spatial_axes(x, call)
    weights, bias = call.weights("weight", axes + 2), call.optional("bias")
    call.require("transposed", None, False)
    call.integers("output_padding")
    if set(call.integers("dilation", (1,))) != {1}:
        raise ModelError(f"{call.operator} with dilation is not supported", hint="dilation=1")
    filters, inputs, *kernel = weights.shape
    groups, channels = call.integer("groups", 1), x.view.shape[1]
    by_filter = weights.reshape(filters, inputs, *two(kernel))
    if groups == 1:
        arranged = by_filter.transpose(2, 3, 1, 0)
    elif groups == channels and inputs == 1 and filters % channels == 0:
        arranged = by_filter.reshape(channels, -1, *two(kernel)).transpose(2, 3, 0, 1)
    else:
        raise ModelError(
            f"{call.operator} in {groups} groups of {channels} channels", hint="one, or one for each"
        )
    stride, padding = both(call, "stride", axes, 1), padding_of(call, axes)
    return draft.conv(x, arranged, bias, stride=stride, padding=padding, depthwise=groups > 1)


def padding_of(call: Call, axes: int) -> Padding:
    """Return the padding of a convolution."""
    if isinstance(call.get("padding"), str):
        call.require("padding", "same", "valid")
        return "same_upper" if call.get("padding") == "same" else (0, 0, 0, 0)
    height, width = both(call, "padding", axes, 0)
    return height, width, height, width


def both(call: Call, key: str, axes: int, default: int) -> tuple[int, int]:
    """Return (height, width) of one number or one for each axis; a row is 1 high and has no padding there."""
    given = call.integers(key) or (default,)
    return two(given * axes if len(given) == 1 else given, min(default, 1))


def max_pool(draft: Draft, call: Call) -> Value:
    """Return the largest value of each window."""
    if set(call.integers("dilation", (1,))) != {1}:
        raise ModelError(f"{call.operator} with dilation is not supported", hint="dilation=1")
    return pool(draft, call, MaxPool2D)


def average_pool(draft: Draft, call: Call) -> Value:
    """Return the mean value of each window."""
    call.require("divisor_override", None)
    return pool(draft, call, AveragePool2D, counted=call.flag("count_include_pad", default=True))


def pool(draft: Draft, call: Call, kind: type[MaxPool2D | AveragePool2D], *, counted: bool = False) -> Value:
    """Return either pool."""
    x = call.value("self")
    axes = spatial_axes(x, call)
    size = both(call, "kernel_size", axes, 1)
    stride = both(call, "stride", axes, 1) if call.integers("stride") else size
    height, width = both(call, "padding", axes, 0)
    padding, ceil = (height, width, height, width), call.flag("ceil_mode")
    return draft.pool(x, kind, size, stride=stride, padding=padding, ceil=ceil, counted=counted)


def adaptive_average_pool(draft: Draft, call: Call) -> Value:
    """Return the mean of each channel, or of windows that divide the image evenly."""
    x = call.value("self")
    axes = spatial_axes(x, call)
    height, width = both(call, "output_size", axes, 1)
    if (height, width) == (1, 1):
        return draft.mean(x, range(2, axes + 2), keep=True)
    rows, columns = two(x.view.shape[2:])
    if height < 1 or width < 1 or rows % height or columns % width:
        raise ModelError(f"{call.operator} from {rows} x {columns} to {height} x {width}", hint="a divisor")
    size = (rows // height, columns // width)
    return x if size == (1, 1) else draft.pool(x, AveragePool2D, size, stride=size, padding=(0, 0, 0, 0))


def mean(draft: Draft, call: Call) -> Value:
    """Return the mean over height and width."""
    x = call.value("self")
    rank = len(x.view.shape)
    return draft.mean(x, call.axes("dim", rank) or range(rank), keep=call.flag("keepdim"))


def pad(draft: Draft, call: Call) -> Value:
    """Return zeros around height and width."""
    x, given = call.value("self"), call.integers("pad")
    if call.text("mode", "constant") != "constant" or call.number("value", 0.0):
        raise ModelError("pad with something else than zeros is not supported")
    if len(given) % 2 or len(given) // 2 > spatial_axes(x, call):
        raise ModelError(f"pad of {x.view.shape} with {given}", hint="padding of height and width")
    # From the last axis to the first: left, right, top, bottom.
    left, right, top, bottom = (*given, 0, 0, 0, 0)[:4]
    return draft.pad(x, (top, left, bottom, right)) if any(given) else x


def upsample(draft: Draft, call: Call) -> Value:
    """Return an image whose rows and columns are the nearest ones of another."""
    x = call.value("self" if "self" in call.arguments else "input")
    spatial_axes(x, call)
    rows, columns = two(x.view.shape[2:])
    if call.get("output_size") is not None:
        height, width = two(call.integers("output_size"))
    else:
        scales = call.numbers("scale_factors")
        height, width = two([int(size * scale) for size, scale in zip((rows, columns), scales, strict=False)])
    for key in ("scale_factors", "scales_h", "scales_w"):
        call.get(key)
    if not (0 < height <= LARGEST_IMAGE and 0 < width <= LARGEST_IMAGE):
        raise ModelError(f"{call.operator} to {height} x {width}")
    ways = ([i * n // outputs for i in range(outputs)] for n, outputs in ((rows, height), (columns, width)))
    return draft.resize(x, *ways)


def spatial_axes(x: Value, call: Call) -> int:
    """Return 1 or 2, the number of axes beside batch and channels."""
    axes = len(x.view.shape) - 2
    if axes not in {1, 2}:
        raise ModelError(f"{call.operator} takes (1, channels, height, width), got {x.view.shape}")
    return axes


WINDOWS: dict[str, Operator] = {
    "_adaptive_avg_pool2d": adaptive_average_pool,
    "adaptive_avg_pool1d": adaptive_average_pool,
    "adaptive_avg_pool2d": adaptive_average_pool,
    "avg_pool1d": average_pool,
    "avg_pool2d": average_pool,
    "constant_pad_nd": pad,
    "conv1d": conv,
    "conv2d": conv,
    "convolution": conv,
    "max_pool1d": max_pool,
    "max_pool2d": max_pool,
    "max_pool2d_with_indices": max_pool,
    "mean": mean,
    "pad": pad,
    "upsample_nearest2d": upsample,
}
