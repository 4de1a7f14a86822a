"""Makes layers of steps: scales and shifts go into weights, padding into windows, activations into layers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from shoal.nn.importers.draft import Affine, Step
from shoal.nn.importers.sequence import Fork, Item
from shoal.nn.layers.activation import Activation
from shoal.nn.layers.conv import Conv2D, DepthwiseConv2D
from shoal.nn.layers.dense import Dense
from shoal.nn.layers.normalization import GroupNorm
from shoal.nn.layers.padding import Pad2D
from shoal.nn.layers.pool import AveragePool2D, MaxPool2D
from shoal.nn.shapes import as_hwc, padded, pair

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shoal.nn.importers.windows import Sides

__all__ = ["folded"]

NOTHING = (0, 0, 0, 0)
WINDOWS = (Conv2D, DepthwiseConv2D, MaxPool2D, AveragePool2D)


def folded(items: Iterable[Item]) -> list[Item]:
    """Return steps that are all layers, in as few as possible."""
    result: list[Item] = []
    for item in items:
        if isinstance(item, Fork):
            result.append(Fork(folded(item.branch), folded(item.shortcut), item.step))
            continue
        last = result[-1] if result else None
        together = merge(last, item) if isinstance(last, Step) else None
        if together is None:
            result.append(item)
        else:
            result[-1] = together
    return [finished(item) if isinstance(item, Step) else item for item in result]


def merge(a: Step, b: Step) -> Step | None:
    """Return one step that does what two do, None where there is none."""
    if isinstance(b.layer, Affine):
        if isinstance(a.layer, Affine):
            return composed(a, a.layer, b, b.layer)
        return scaled(a, b.layer)
    if isinstance(a.layer, Affine):
        return absorbed(a.layer, b)
    if isinstance(a.layer, Pad2D):
        return enlarged(a, a.layer, b)
    layer = linear(a)
    if isinstance(b.layer, Activation) and layer is not None and b.gives == a.gives:
        plain = b.layer == Activation(b.layer.function)
        return replace(a, layer=replace(layer, activation=b.layer.function)) if plain else None
    return None


def linear(step: Step) -> Conv2D | DepthwiseConv2D | Dense | None:
    """Return the layer where it is one with weights whose sums stay as they are."""
    layer = step.layer
    return layer if isinstance(layer, Conv2D | DepthwiseConv2D | Dense) and layer.activation is None else None


def repeated(affine: Affine, channels: int) -> Affine | None:
    """Return the same for a row of more channels, None where they are no multiple."""
    times, rest = divmod(channels, affine.scale.size)
    return None if rest else Affine(np.tile(affine.scale, times), np.tile(affine.shift, times))


def composed(a: Step, first: Affine, b: Step, second: Affine) -> Step | None:
    """Return two scales and shifts as one."""
    size = max(first.scale.size, second.scale.size)
    one, two = repeated(first, size), repeated(second, size)
    if one is None or two is None:
        return None
    wider = a if size == first.scale.size else b
    return replace(wider, layer=Affine(one.scale * two.scale, one.shift * two.scale + two.shift))


def scaled(a: Step, affine: Affine) -> Step | None:
    """Return a layer whose sums are scaled and shifted."""
    whole = repeated(affine, a.gives[-1])
    if whole is None:
        return None
    if isinstance(a.layer, GroupNorm):
        scale, shift = a.arrays["scale"] * whole.scale, a.arrays["shift"] * whole.scale + whole.shift
        return replace(a, arrays={"scale": scale, "shift": shift})
    layer = linear(a)
    if layer is None:
        return None
    weights, bias = a.arrays["weights"], a.arrays.get("bias", np.zeros(1))
    # The last axes of the weights are the output channels: one for Dense and Conv2D, two for DepthwiseConv2D.
    scale = whole.scale.reshape(weights.shape[2:] if isinstance(layer, DepthwiseConv2D) else -1)
    arrays = {"weights": weights * scale, "bias": bias * whole.scale + whole.shift}
    return replace(a, layer=replace(layer, bias=True), arrays=arrays)


def absorbed(affine: Affine, b: Step) -> Step | None:
    """Return a layer whose inputs are scaled and shifted, which padding would not be."""
    if not isinstance(b.layer, Conv2D | DepthwiseConv2D | Dense):
        return None
    whole = repeated(affine, b.takes[-1])
    shifts = bool(affine.shift.any())
    if whole is None or (shifts and not isinstance(b.layer, Dense) and b.layer.padding != NOTHING):
        return None
    weights = b.arrays["weights"]
    arrays = {**b.arrays, "weights": weights * whole.scale[:, np.newaxis]}
    if shifts:
        by_input = (weights * whole.shift[:, np.newaxis]).astype(np.float64)
        # Dense sums over its inputs, Conv2D over the window too, DepthwiseConv2D over the window alone.
        axes = {Dense: (0,), Conv2D: (0, 1, 2), DepthwiseConv2D: (0, 1)}[type(b.layer)]
        arrays["bias"] = by_input.sum(axes).reshape(-1) + b.arrays.get("bias", np.zeros(1))
    return replace(b, layer=replace(b.layer, bias="bias" in arrays), arrays=arrays)


def enlarged(a: Step, pad: Pad2D, b: Step) -> Step | None:
    """Return a convolution that pads its input itself."""
    if not isinstance(b.layer, Conv2D | DepthwiseConv2D) or a.gives != b.takes or any(pad.channels):
        return None
    given, kernel = cast("Sides", b.layer.padding), pair(b.layer.kernel, "kernel")
    top, left, bottom, right = (outer + inner for outer, inner in zip(pad.padding, given, strict=True))
    if max(top, bottom) >= kernel[0] or max(left, right) >= kernel[1]:
        return None
    return replace(b, layer=replace(b.layer, padding=(top, left, bottom, right)), takes=a.takes)


def finished(step: Step) -> Step:
    """Return what is left of scales as a layer, and every padding by its name where it has one."""
    layer = step.layer
    if isinstance(layer, Affine):
        shape = as_hwc(step.takes)
        arrays = {"weights": layer.scale.reshape(1, 1, -1, 1)}
        if layer.shift.any():
            arrays["bias"] = layer.shift
        made = DepthwiseConv2D(1, padding="valid", bias="bias" in arrays)
        return replace(step, layer=made, takes=shape, gives=shape, arrays=arrays)
    if isinstance(layer, WINDOWS):
        kernel = pair(layer.size if isinstance(layer, MaxPool2D | AveragePool2D) else layer.kernel, "kernel")
        stride = pair(kernel if layer.stride is None else layer.stride, "stride")
        if layer.padding == NOTHING:
            return replace(step, layer=replace(layer, padding="valid"))
        if layer.padding == padded(as_hwc(step.takes), kernel, stride, "same"):
            return replace(step, layer=replace(layer, padding="same"))
    return step
