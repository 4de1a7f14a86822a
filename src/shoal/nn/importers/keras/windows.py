"""Layers of Keras on images: convolutions, pools, padding and resizing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.nn.importers.archive import described
from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.keras.activations import Maker, activated, bias_of
from shoal.nn.importers.windows import two
from shoal.nn.layers.pool import AveragePool2D, MaxPool2D

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from shoal.nn.importers.call import Call
    from shoal.nn.importers.draft import Draft
    from shoal.nn.importers.value import Value
    from shoal.nn.importers.windows import Padding

__all__ = ["WINDOWS"]

LARGEST_IMAGE = 1 << 14


def conv(draft: Draft, call: Call) -> Value:
    """Return a convolution and its activation."""
    x = call.value()
    axes = spatial_axes(x, call)
    weights = by_window(call, axes)
    call.require("filters", weights.shape[3])
    call.require("groups", None, 1)
    stride, padding = window(call, "strides", axes), padding_of(call, weights.shape[1])
    y = draft.conv(x, weights, bias_of(call, 1), stride=stride, padding=padding, channels_last=True)
    return activated(draft, call, y)


def depthwise_conv(draft: Draft, call: Call) -> Value:
    """Return a convolution of each channel alone and its activation."""
    return activated(draft, call, depthwise(draft, call, bias_of(call, 1)))


def separable_conv(draft: Draft, call: Call) -> Value:
    """Return a depthwise convolution, then one over the channels alone, and its activation."""
    y = depthwise(draft, call, None)
    weights = call.weights("array 1", spatial_axes(y, call) + 2)
    call.require("filters", weights.shape[-1])
    weights = weights.reshape((1,) * (4 - weights.ndim) + weights.shape)
    y = draft.conv(y, weights, bias_of(call, 2), stride=(1, 1), padding=(0, 0, 0, 0), channels_last=True)
    return activated(draft, call, y)


def depthwise(draft: Draft, call: Call, bias: NDArray[Any] | None) -> Value:
    """Return the sums of a depthwise convolution."""
    x = call.value()
    axes = spatial_axes(x, call)
    weights = by_window(call, axes)
    call.require("depth_multiplier", weights.shape[3])
    stride, padding = window(call, "strides", axes), padding_of(call, weights.shape[1])
    return draft.conv(x, weights, bias, stride=stride, padding=padding, channels_last=True, depthwise=True)


def by_window(call: Call, axes: int) -> NDArray[Any]:
    """Return weights with a height, which those of a row do not have."""
    weights = call.weights("array 0", axes + 2)
    if window(call, "kernel_size", axes) != two(weights.shape[:axes]):
        raise ModelError(f"weights {weights.shape} for a kernel of another size")
    if set(call.integers("dilation_rate", (1,))) != {1}:
        raise ModelError(f"{call.operator} with dilation is not supported", hint="dilation_rate=1")
    return weights.reshape((1,) * (2 - axes) + weights.shape)


def max_pooling(draft: Draft, call: Call) -> Value:
    """Return the largest value of each window."""
    return pooling(draft, call, MaxPool2D)


def average_pooling(draft: Draft, call: Call) -> Value:
    """Return the mean value of each window."""
    return pooling(draft, call, AveragePool2D)


def pooling(draft: Draft, call: Call, kind: type[MaxPool2D | AveragePool2D]) -> Value:
    """Return either pool."""
    x = call.value()
    axes = spatial_axes(x, call)
    size = window(call, "pool_size", axes)
    stride = size if call.get("strides") is None else window(call, "strides", axes)
    padding = padding_of(call, size[1])
    return draft.pool(x, kind, size, stride=stride, padding=padding, channels_last=True)


def global_average_pooling(draft: Draft, call: Call) -> Value:
    """Return the mean of each channel."""
    x = call.value()
    axes = spatial_axes(x, call)
    return draft.mean(x, range(1, axes + 1), keep=call.flag("keepdims"))


def global_max_pooling(draft: Draft, call: Call) -> Value:
    """Return the largest value of each channel."""
    x = call.value()
    height, width, channels = draft.image(x, channels_last=True)
    nothing = (0, 0, 0, 0)
    y = draft.pool(x, MaxPool2D, (height, width), stride=(1, 1), padding=nothing, channels_last=True)
    return y if call.integer("keepdims", 0) else draft.reshape(y, (1, channels))


def zero_padding(draft: Draft, call: Call) -> Value:
    """Return zeros around height and width."""
    x, given = call.value(), call.get("padding")
    axes = spatial_axes(x, call)
    if isinstance(given, int):
        given = [[given, given]] * axes if axes == 2 else [given, given]
    rows, columns = ([0, 0], given) if axes == 1 else (described(given, 0), described(given, 1))
    found = [described(way, end) for end in (0, 1) for way in (rows, columns)]
    if not all(type(side) is int for side in found):
        raise ModelError(f"{call.operator} of {given!r}")
    top, left, bottom, right = found
    return draft.pad(x, (top, left, bottom, right), channels_last=True)


def up_sampling(draft: Draft, call: Call) -> Value:
    """Return an image with each row and column repeated."""
    x = call.value()
    axes = spatial_axes(x, call)
    call.require("interpolation", None, "nearest")
    heights, widths = window(call, "size", axes)
    rows, columns = two(x.view.shape[1 : axes + 1])
    if not (0 < rows * heights <= LARGEST_IMAGE and 0 < columns * widths <= LARGEST_IMAGE):
        raise ModelError(f"{call.operator} of {x.view.shape} by {heights} x {widths}")
    ways = ([i // times for i in range(n * times)] for n, times in ((rows, heights), (columns, widths)))
    return draft.resize(x, *ways, channels_last=True)


def spatial_axes(x: Value, call: Call) -> int:
    """Return 1 or 2, the number of axes beside batch and channels."""
    call.require("data_format", None, "channels_last")
    axes = len(x.view.shape) - 2
    if axes not in {1, 2}:
        raise ModelError(f"{call.operator} takes (1, height, width, channels), got {x.view.shape}")
    return axes


def window(call: Call, key: str, axes: int) -> tuple[int, int]:
    """Return (height, width) of one number or one for each axis."""
    given = call.integers(key, (1,))
    return two(given * axes if len(given) == 1 else given)


def padding_of(call: Call, width: int) -> Padding:
    """Return the padding of a window of this width."""
    call.require("padding", "valid", "same", "causal")
    match call.get("padding"):
        case "same":
            return "same_upper"
        case "causal":
            return 0, width - 1, 0, 0
        case _:
            return 0, 0, 0, 0


WINDOWS: dict[str, Maker] = {
    "AveragePooling1D": average_pooling,
    "AveragePooling2D": average_pooling,
    "Conv1D": conv,
    "Conv2D": conv,
    "DepthwiseConv1D": depthwise_conv,
    "DepthwiseConv2D": depthwise_conv,
    "GlobalAveragePooling1D": global_average_pooling,
    "GlobalAveragePooling2D": global_average_pooling,
    "GlobalMaxPooling1D": global_max_pooling,
    "GlobalMaxPooling2D": global_max_pooling,
    "MaxPooling1D": max_pooling,
    "MaxPooling2D": max_pooling,
    "SeparableConv1D": separable_conv,
    "SeparableConv2D": separable_conv,
    "UpSampling1D": up_sampling,
    "UpSampling2D": up_sampling,
    "ZeroPadding1D": zero_padding,
    "ZeroPadding2D": zero_padding,
}
