"""Layers as ONNX nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import ConfigError
from shoal.nn.exporters.onnx.graph import Tensor
from shoal.nn.layers import (
    Activation,
    AveragePool2D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    GlobalAveragePool2D,
    GroupNorm,
    Layer,
    MaxPool2D,
    Pad2D,
    Reshape,
    Residual,
    ResizeNearest,
)
from shoal.nn.shapes import as_hwc, padded, pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from shoal.nn.exporters.onnx.graph import Graph
    from shoal.nn.trace import Step

__all__ = ["write"]


def write(graph: Graph, layers: Iterable[Layer], x: Tensor) -> Tensor:
    """Write layers that follow each other and return what the last one gives.

    Raises
    ------
    ConfigError
        Where a layer has no operator in ONNX.
    """
    for layer in layers:
        step = graph.steps[str(layer.name)]
        writer = WRITERS.get(type(layer))
        if writer is None or step.input.quantization is not None or step.output.quantization is not None:
            raise ConfigError(
                f"{type(layer).__name__} cannot be exported to ONNX",
                where=f"layer {layer.name!r}",
                hint="float32 layers: " + ", ".join(sorted(kind.__name__ for kind in WRITERS)),
            )
        x = writer(graph, layer, x)
    return x


def dense(graph: Graph, layer: Dense, x: Tensor) -> Tensor:
    """Write the classes in use of a dense layer and its activation."""
    name = str(layer.name)
    parts = ("weights", "bias") if layer.bias else ("weights",)
    names = [
        graph.constant(f"{name}.{part}", graph.arrays[f"{name}.{part}"][..., : layer.units]) for part in parts
    ]
    y = graph.add("Gemm", x, name, *names, to=Tensor(name, (layer.units,)))
    return graph.activated(y, f"{name}/{layer.activation}", layer.activation)


def conv(graph: Graph, layer: Conv2D | DepthwiseConv2D, x: Tensor) -> Tensor:
    """Write a convolution and its activation."""
    name, step = str(layer.name), graph.steps[str(layer.name)]
    weights = graph.arrays[f"{name}.weights"]
    if isinstance(layer, Conv2D):
        groups, arranged = 1, weights.transpose(3, 2, 0, 1)
    else:
        groups = weights.shape[2]
        arranged = weights.transpose(2, 3, 0, 1).reshape(-1, 1, *weights.shape[:2])
    names = [graph.constant(f"{name}.weights", arranged)]
    if layer.bias:
        names.append(graph.constant(f"{name}.bias", graph.arrays[f"{name}.bias"]))
    window = window_of(layer, step, pair(layer.kernel, "kernel"), layer.stride)
    out = Tensor(name, step.output_shape, channels_first=True)
    y = graph.add("Conv", graph.first(x, name), name, *names, to=out, group=groups, **window)
    return graph.activated(y, f"{name}/{layer.activation}", layer.activation)


def pool(graph: Graph, layer: MaxPool2D | AveragePool2D, x: Tensor) -> Tensor:
    """Write a pool; padding does not count in a mean."""
    name, step = str(layer.name), graph.steps[str(layer.name)]
    size = pair(layer.size, "size")
    window = window_of(layer, step, size, size if layer.stride is None else layer.stride)
    operator = "MaxPool" if isinstance(layer, MaxPool2D) else "AveragePool"
    out = Tensor(name, step.output_shape, channels_first=True)
    return graph.add(operator, graph.first(x, name), name, to=out, **window)


def window_of(
    layer: Conv2D | DepthwiseConv2D | MaxPool2D | AveragePool2D,
    step: Step,
    kernel: tuple[int, int],
    stride: int | tuple[int, int],
) -> dict[str, list[int]]:
    """Return the attributes of a window, its padding in numbers."""
    strides = pair(stride, "stride")
    sides = padded(as_hwc(step.input_shape), kernel, strides, layer.padding)
    return {"kernel_shape": list(kernel), "strides": list(strides), "pads": list(sides)}


def global_average_pool(graph: Graph, layer: GlobalAveragePool2D, x: Tensor) -> Tensor:
    """Write the mean of each channel, as one row."""
    name = str(layer.name)
    mean = graph.add("GlobalAveragePool", graph.first(x, name), f"{name}/mean")
    return graph.add("Flatten", mean, name, to=Tensor(name, x.shape[-1:]), axis=1)


def activation(graph: Graph, layer: Activation, x: Tensor) -> Tensor:
    """Write a function of each value."""
    return graph.activated(x, str(layer.name), layer.function, layer.slope)


def flatten(graph: Graph, layer: Flatten, x: Tensor) -> Tensor:
    """Write all values in one row, channels fastest."""
    shape = graph.steps[str(layer.name)].output_shape
    if len(x.shape) == 1:
        return x
    return graph.add("Flatten", graph.last(x), str(layer.name), to=Tensor("", shape), axis=1)


def reshape(graph: Graph, layer: Reshape, x: Tensor) -> Tensor:
    """Write another shape of the same values."""
    name, shape = str(layer.name), graph.steps[str(layer.name)].output_shape
    wanted = graph.constant(f"{name}.shape", np.array([-1, *shape], np.int64))
    return graph.add("Reshape", graph.last(x), name, wanted, to=Tensor(name, shape))


def group_norm(graph: Graph, layer: GroupNorm, x: Tensor) -> Tensor:
    """Write groups of channels at zero mean and unit variance."""
    name = str(layer.name)
    names = [graph.constant(f"{name}.{part}", graph.arrays[f"{name}.{part}"]) for part in ("scale", "shift")]
    options: dict[str, Any] = {"num_groups": layer.groups, "epsilon": layer.epsilon}
    if len(x.shape) == 3:
        return graph.add("GroupNormalization", graph.first(x, name), name, *names, **options)
    # The operator wants one axis more than batch and channels.
    axis = graph.constant(f"{name}.axis", np.array([2], np.int64))
    row = graph.add("Unsqueeze", x, f"{name}/row", axis)
    return graph.add(
        "Squeeze", graph.add("GroupNormalization", row, f"{name}/norm", *names, **options), name, axis
    )


def pad(graph: Graph, layer: Pad2D, x: Tensor) -> Tensor:
    """Write zeros around an image and its channels."""
    name, (top, left, bottom, right), (before, after) = str(layer.name), layer.padding, layer.channels
    sizes = np.array([0, before, top, left, 0, after, bottom, right], np.int64)
    out = Tensor(name, graph.steps[name].output_shape, channels_first=True)
    return graph.add("Pad", graph.first(x, name), name, graph.constant(f"{name}.padding", sizes), to=out)


def resize(graph: Graph, layer: ResizeNearest, x: Tensor) -> Tensor:
    """Write the nearest rows and columns."""
    name, (height, width) = str(layer.name), layer.size
    mode, nearest = "asymmetric", "floor"
    if layer.align_corners or layer.half_pixel_centers:
        mode, nearest = "align_corners" if layer.align_corners else "half_pixel", "round_prefer_ceil"
    sizes = graph.constant(f"{name}.size", np.array([height, width], np.int64))
    out = Tensor(name, (height, width, x.shape[2]), channels_first=True)
    return graph.add(
        "Resize",
        graph.first(x, name),
        name,
        "",
        "",
        sizes,
        to=out,
        axes=[2, 3],
        mode="nearest",
        coordinate_transformation_mode=mode,
        nearest_mode=nearest,
    )


def residual(graph: Graph, layer: Residual, x: Tensor) -> Tensor:
    """Write both ways and their sum."""
    name = str(layer.name)
    branch, shortcut = write(graph, layer.layers, x), write(graph, layer.shortcut, x)
    if branch.channels_first != shortcut.channels_first:
        branch, shortcut = (graph.first(way, way.name) for way in (branch, shortcut))
    y = graph.add("Add", branch, name, shortcut.name)
    return graph.activated(y, f"{name}/{layer.activation}", layer.activation)


WRITERS: dict[type[Layer], Callable[[Graph, Any, Tensor], Tensor]] = {
    Activation: activation,
    AveragePool2D: pool,
    Conv2D: conv,
    Dense: dense,
    DepthwiseConv2D: conv,
    Flatten: flatten,
    GlobalAveragePool2D: global_average_pool,
    GroupNorm: group_norm,
    MaxPool2D: pool,
    Pad2D: pad,
    Reshape: reshape,
    Residual: residual,
    ResizeNearest: resize,
}
