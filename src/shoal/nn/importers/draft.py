"""A network under construction: what each operator of a file becomes, whatever format the file has.

Importers translate operators into these calls. Each returns a value: where the network holds it, and how the
file orders it. What can be folded into a layer, such as a scale or padding, stays a step of its own until
:mod:`shoal.nn.importers.fold`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.nn.graph import Graph, Ref
from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.value import Value, channels_first, spread
from shoal.nn.importers.view import contiguous
from shoal.nn.importers.windows import as_sides, nearest, reaching
from shoal.nn.layers.activation import Activation
from shoal.nn.layers.base import Layer, Place
from shoal.nn.layers.conv import Conv2D, DepthwiseConv2D
from shoal.nn.layers.dense import Dense
from shoal.nn.layers.normalization import GroupNorm
from shoal.nn.layers.padding import Pad2D, ResizeNearest
from shoal.nn.layers.pool import AveragePool2D, GlobalAveragePool2D, MaxPool2D

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from shoal.nn.importers.windows import Padding, Sides
    from shoal.nn.layers.activation import ActivationName
    from shoal.nn.shapes import Shape

__all__ = ["Affine", "Draft", "Step", "begin"]

# Stands for the size of an open batch: a prime, so that what a file computes of it differs from other sizes.
OPEN = 1_000_003
LARGEST_VALUE = 1 << 24
LARGEST_TOTAL = 1 << 26


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """``scale * x + shift`` by channel, to be folded into a layer with weights."""

    scale: NDArray[np.float64]
    shift: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One operation: a layer with its arrays, or what is folded into one; None: the sum of two sources."""

    layer: Layer | Affine | None
    takes: Shape
    gives: Shape
    sources: tuple[int, ...]
    where: str
    name: str | None = None
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)


class Draft:
    """Steps in order; step 0 is the sample.

    Attributes
    ----------
    steps
        What was added so far.
    where, name
        Of the node being translated, for errors and for the layers' names.
    batch
        Size of the file's first axis, which the network leaves out: outermost in every value, or 1.
    """

    def __init__(self, batch: int = 1) -> None:
        self.batch = batch
        self.steps: list[Step] = []
        self.where = "the input"
        self.name: str | None = None
        self.total = 0

    def sample(self, shape: Shape, *, channels_last: bool) -> Value:
        """Return the input.

        Parameters
        ----------
        shape
            In the file; the first of several axes is the batch, of size 1.
        channels_last
            Where it has 3 or 4 axes: whether its channels are the last one, or the second.
        """
        view = contiguous(shape)
        here: Shape = (math.prod(shape),)
        if len(shape) in {3, 4}:
            if not channels_last:
                view = channels_first(contiguous((1, *shape[2:], shape[1])))
            sizes = shape[1:] if channels_last else (*shape[2:], shape[1])
            here = (1, *sizes)[-3:]
        self._count(math.prod(shape), "the input")
        self.steps.append(Step(None, here, here, (), self.where))
        return Value(0, here, view)

    def dense(self, x: Value, weights: NDArray[Any], bias: NDArray[Any] | None = None) -> Value:
        """Return ``x @ weights + bias`` over the last axis; weights (inputs, outputs)."""
        if weights.ndim != 2 or not x.view.shape or x.view.shape[-1] != weights.shape[0]:
            raise ModelError(f"{x.view.shape} cannot be multiplied with weights {weights.shape}")
        inputs, outputs = weights.shape
        shape = (*x.view.shape[:-1], outputs)
        if math.prod(x.shape) == inputs:
            rows = np.empty_like(weights)
            rows[x.view.indices().reshape(-1)] = weights
            layer = Dense(outputs, bias=bias is not None)
            made = self._add(layer, x, (inputs,), with_bias(rows, bias, outputs))
            return made._replace(view=contiguous(shape))
        if not x.view.is_plain:
            raise ModelError(
                f"Dense over the last axis of {x.view.shape}, which the network holds in another order"
            )
        image = (1, *x.view.shape[1:-2], math.prod(x.view.shape[-2:-1]), inputs)[-3:]
        if math.prod(image) != math.prod(x.shape):
            raise ModelError(f"Dense over the last axis of {x.view.shape}: more axes than an image has")
        arrays = with_bias(weights[np.newaxis, np.newaxis], bias, outputs)
        layer_2d = Conv2D(outputs, 1, padding="valid", bias=bias is not None)
        return self._add(layer_2d, x, image, arrays)._replace(view=contiguous(shape))

    def conv(
        self,
        x: Value,
        weights: NDArray[Any],
        bias: NDArray[Any] | None,
        *,
        stride: tuple[int, int],
        padding: Padding,
        channels_last: bool = False,
        depthwise: bool = False,
    ) -> Value:
        """Return a convolution.

        Parameters
        ----------
        weights
            (height, width, input channels, filters); depthwise (height, width, channels, multiplier).
        padding
            Top, left, bottom, right; or ``ceil(size / stride)`` outputs, an odd row at the end or the start.
        """
        shape = self.image(x, channels_last=channels_last)
        kernel = (weights.shape[0], weights.shape[1])
        if not isinstance(padding, str) and any(side >= kernel[i % 2] for i, side in enumerate(padding)):
            # A window has to meet the input, so the padding becomes a layer.
            x, padding = self.pad(x, padding, channels_last=channels_last), (0, 0, 0, 0)
            shape = self.image(x, channels_last=channels_last)
        if weights.shape[2] != shape[2]:
            raise ModelError(f"weights for {weights.shape[2]} input channels, the input has {shape[2]}")
        sides = as_sides(padding, shape, kernel, stride)
        layer: Layer
        if depthwise:
            outputs = weights.shape[2] * weights.shape[3]
            layer = DepthwiseConv2D(kernel, stride, sides, weights.shape[3], bias=bias is not None)
        else:
            outputs = weights.shape[3]
            layer = Conv2D(outputs, kernel, stride, sides, bias=bias is not None)
        made = self._add(layer, x, shape, with_bias(weights, bias, outputs))
        return self._as_in_file(made, x, channels_last=channels_last)

    def pool(
        self,
        x: Value,
        kind: type[MaxPool2D | AveragePool2D],
        size: tuple[int, int],
        *,
        stride: tuple[int, int],
        padding: Padding,
        ceil: bool = False,
        counted: bool = False,
        channels_last: bool = False,
    ) -> Value:
        """Return the largest or mean value of each window.

        Parameters
        ----------
        ceil
            Whether there is a last window that only begins inside the input.
        counted
            Whether padding counts in a mean, as zeros.
        """
        shape = self.image(x, channels_last=channels_last)
        sides = as_sides(padding, shape, size, stride)
        longest = reaching(sides, shape, size, stride) if ceil else sides
        if counted and any(sides):
            if any(end > given for end, given in zip(longest, sides, strict=True)):
                raise ModelError("a mean in which some of the padding counts", hint="ceil_mode = 0")
            x, longest = self.pad(x, sides, channels_last=channels_last), (0, 0, 0, 0)
            shape = self.image(x, channels_last=channels_last)
        made = self._add(kind(size, stride, longest), x, shape)
        return self._as_in_file(made, x, channels_last=channels_last)

    def pad(
        self,
        x: Value,
        padding: Sides,
        *,
        channels: tuple[int, int] = (0, 0),
        channels_last: bool = False,
    ) -> Value:
        """Return zeros around an image, and before and after its channels."""
        shape = self.image(x, channels_last=channels_last)
        made = self._add(Pad2D(padding, channels), x, shape)
        return self._as_in_file(made, x, channels_last=channels_last)

    def resize(
        self, x: Value, rows: Sequence[int], columns: Sequence[int], *, channels_last: bool = False
    ) -> Value:
        """Return an image of these rows and columns of another, where the nearest ones are meant."""
        height, width, channels = self.image(x, channels_last=channels_last)
        for corners, centers in ((False, False), (True, False), (False, True)):
            taken = [
                nearest(n, len(way), corners=corners, centers=centers)
                for n, way in ((height, rows), (width, columns))
            ]
            if taken == [list(rows), list(columns)]:
                layer = ResizeNearest((len(rows), len(columns)), corners, centers)
                made = self._add(layer, x, (height, width, channels))
                return self._as_in_file(made, x, channels_last=channels_last)
        raise ModelError(f"another choice of the nearest rows or columns than a layer has, of {x.view.shape}")

    def mean(self, x: Value, axes: Sequence[int], *, keep: bool) -> Value:
        """Return the mean over axes of the file's shape, left out or kept with size 1."""
        shape, over = x.view.shape, sorted(set(axes))
        rest = [axis for axis in range(1, len(shape)) if axis not in over]
        if not over or over[0] < 1 or over[-1] >= len(shape):
            raise ModelError(
                f"mean over the axes {tuple(axes)} of {shape}", hint="the mean over height and width"
            )
        if not x.view.transposed([0, *over, *rest]).is_plain:
            raise ModelError(f"mean over the axes {tuple(axes)} of {shape}, which are not height and width")
        sizes, channels = [shape[axis] for axis in over], math.prod(shape[axis] for axis in rest)
        image = (1, math.prod(sizes[:-1]), sizes[-1], channels)[-3:]
        made = self._add(GlobalAveragePool2D(), x, image)
        kept = [1 if axis in over else size for axis, size in enumerate(shape) if keep or axis not in over]
        return made._replace(view=contiguous((channels,)).reshaped(tuple(kept)))

    def activation(self, x: Value, function: ActivationName, slope: float | None = None) -> Value:
        """Return a function of each value."""
        layer = Activation(function) if slope is None else Activation(function, slope)
        return self._add(layer, x, x.shape)._replace(view=x.view)

    def softmax(self, x: Value, axes: Sequence[int]) -> Value:
        """Return the softmax over axes that hold all values."""
        self.reshaped(x, x.view.shape, kept=0 not in axes)
        shape, total = x.view.shape, math.prod(x.shape)
        over = math.prod(shape[axis] for axis in axes)
        if over != total:
            raise ModelError(
                f"softmax over {over} values of {shape} at a time", hint="softmax over all values at once"
            )
        return self._add(Activation("softmax"), x, (total,))._replace(view=x.view)

    def affine(self, x: Value, scale: NDArray[Any] | float = 1.0, shift: NDArray[Any] | float = 0.0) -> Value:
        """Return ``scale * x + shift``, both broadcast to the file's shape."""
        both = [spread(x, np.asarray(part, np.float64)) for part in (scale, shift)]
        size = max(part.size for part in both)
        takes = x.shape if size == x.shape[-1] else (size,)
        folded = Affine(*(np.tile(part, size // part.size) for part in both))
        made = self._append(folded, (x,), takes, takes)
        return made._replace(view=x.view)

    def normalize(
        self,
        x: Value,
        scale: NDArray[Any],
        shift: NDArray[Any],
        mean: NDArray[Any],
        variance: NDArray[Any],
        epsilon: float,
        *,
        channels_last: bool = False,
    ) -> Value:
        """Return ``scale * (x - mean) / sqrt(variance + epsilon) + shift``, all of them (channels,)."""
        axis = len(x.view.shape) - 1 if channels_last else 1
        sizes = {part.shape for part in (scale, shift, mean, variance)}
        if axis not in range(len(x.view.shape)) or sizes != {(x.view.shape[axis],)}:
            raise ModelError(f"parameters of {sorted(sizes)} for the channels of {x.view.shape}")
        spread = variance.astype(np.float64) + epsilon
        if not (spread > 0).all():
            raise ModelError("a variance is not positive")
        factor = scale / np.sqrt(spread)
        along = [1] * len(x.view.shape)
        along[axis] = -1
        offset = shift - mean * factor
        return self.affine(x, factor.reshape(along), offset.reshape(along))

    def group_norm(
        self,
        x: Value,
        groups: int,
        scale: NDArray[Any],
        shift: NDArray[Any],
        epsilon: float,
        *,
        channels_last: bool = False,
    ) -> Value:
        """Return groups of channels at zero mean and unit variance, then scaled and shifted by channel.

        Parameters
        ----------
        x
            The last axis in the file, or else the second one, are the channels, or the groups themselves.
        scale, shift
            For each index of that axis.
        """
        if len(x.view.shape) < 2 or x.view.shape[0] != 1:
            raise ModelError(f"normalizes {x.view.shape}, which is not (1, channels, ...)")
        axis = -1 if channels_last else 1
        count = x.view.shape[axis]
        # The network's channels are neighbours in memory, and so are those of one group.
        apart = x.shape[-1] // count
        if x.view.axes[axis] != (((count, apart),) if count > 1 else ()):
            raise ModelError(f"normalizes {x.view.shape} over values that the network holds in another order")
        if {scale.shape, shift.shape} != {(count,)}:
            raise ModelError(f"parameters of {scale.shape} and {shift.shape} for {x.view.shape}")
        arrays = {"scale": np.repeat(scale, apart), "shift": np.repeat(shift, apart)}
        return self._add(GroupNorm(groups, epsilon), x, x.shape, arrays)._replace(view=x.view)

    def add(self, a: Value, b: Value) -> Value:
        """Return the sum of two values of the same shape."""
        if a.view.shape != b.view.shape:
            raise ModelError(
                f"the sum of {a.view.shape} and {b.view.shape}", hint="two values of the same shape"
            )
        if a.view != b.view:
            raise ModelError("the sum of two values that the network holds in different orders")
        if a.number == b.number:
            return self.affine(a, 2.0)
        return self._append(None, (a, b), a.shape, a.shape)._replace(view=a.view)

    def in_file(self, x: Value) -> Shape:
        """Return the shape of a value with the batch that the file has."""
        return (self.batch * x.view.shape[0], *x.view.shape[1:]) if x.view.shape else ()

    def reshape(self, x: Value, wanted: Sequence[int]) -> Value:
        """Return the same values with a shape from the file, with its batch; one size may be -1."""
        sizes, values = list(wanted), math.prod(x.view.shape)
        if sizes.count(-1) == 1:
            known = -math.prod(sizes)
            sizes[sizes.index(-1)] = self.batch * values // known if known > 0 else 0
        elif self.batch == OPEN and math.prod(sizes) == values:
            self.batch = 1  # no other one fits
        kept = not sizes or sizes[0] % self.batch == 0
        if kept:
            sizes[:1] = [size // self.batch for size in sizes[:1]]
        return self.reshaped(x, sizes, kept=kept)

    def reshaped(self, x: Value, sizes: Sequence[int], *, kept: bool) -> Value:
        """Return the same values with another shape; `kept` tells whether the batch stays where it is."""
        if not kept and self.batch != 1:
            batch = "an open batch" if self.batch == OPEN else f"a batch of {self.batch}"
            raise ModelError(
                f"moves {batch} from the front, or mixes its samples", hint="export with a batch of 1"
            )
        return x._replace(view=x.view.reshaped(tuple(sizes)))

    def squeeze(self, x: Value, axes: Sequence[int]) -> Value:
        """Return the same values without these axes of size 1; without any for none given."""
        if 0 in axes and self.batch == OPEN:
            self.batch = 1  # the file says so
        shape = self.in_file(x)
        chosen = axes or [axis for axis, size in enumerate(shape) if size == 1]
        return self.reshape(x, [size for axis, size in enumerate(shape) if axis not in chosen])

    def unsqueeze(self, x: Value, axes: Sequence[int]) -> Value:
        """Return the same values with axes of size 1 at these places of the new shape."""
        shape = self.in_file(x)
        left = iter(shape)
        return self.reshape(x, [1 if axis in axes else next(left) for axis in range(len(shape) + len(axes))])

    def transpose(self, x: Value, order: Sequence[int]) -> Value:
        """Return the same values with the axes in another order."""
        moved = x._replace(view=x.view.transposed(order))
        return self.reshaped(moved, moved.view.shape, kept=tuple(order[:1]) == (0,))

    def image(self, x: Value, *, channels_last: bool = False) -> tuple[int, int, int]:
        """Return (height, width, channels) of a value with one or two axes beside batch and channels.

        Raises
        ------
        ModelError
            Where it has more or fewer, or the network does not hold it in this order.
        """
        shape = x.view.shape
        if len(shape) not in {3, 4} or shape[0] != 1:
            wanted = "(1, height, width, channels)" if channels_last else "(1, channels, height, width)"
            raise ModelError(f"takes {wanted}, got {shape}")
        last = len(shape) - 1
        view = x.view if channels_last else x.view.transposed([0, *range(2, last + 1), 1])
        if not view.is_plain:
            raise ModelError(f"{shape} lies in memory in another order: values would have to move")
        height, width, channels = (1, *view.shape[1:])[-3:]
        return height, width, channels

    def _as_in_file(self, made: Value, x: Value, *, channels_last: bool) -> Value:
        """Return the image that a layer made with as many axes as its input has in the file."""
        height, width, channels = made.shape
        sizes = (1, height, width, channels) if len(x.view.shape) == 4 else (1, width, channels)
        view = contiguous(sizes)
        return made._replace(view=view if channels_last else channels_first(view))

    def _add(
        self, layer: Layer, x: Value, takes: Shape, arrays: Mapping[str, NDArray[Any]] | None = None
    ) -> Value:
        """Append a layer with its arrays; it checks its arguments and says what it gives."""
        layer.check()
        gives = layer.lower(Graph([0]), Ref(0, takes), Place(0, "")).shape
        self._count(sum(array.size for array in (arrays or {}).values()), "its parameters")
        return self._append(layer, (x,), takes, gives, arrays)

    def _append(
        self,
        layer: Layer | Affine | None,
        sources: tuple[Value, ...],
        takes: Shape,
        gives: Shape,
        arrays: Mapping[str, NDArray[Any]] | None = None,
    ) -> Value:
        """Append a step and return its value, as the network holds it."""
        if math.prod(gives) > LARGEST_VALUE:
            raise ModelError(f"a value of {gives}, more than {LARGEST_VALUE:,} numbers")
        numbers = tuple(x.number for x in sources)
        self.steps.append(Step(layer, takes, gives, numbers, self.where, self.name, arrays or {}))
        return Value(len(self.steps) - 1, gives, contiguous((1, *gives)))

    def _count(self, numbers: int, what: str) -> None:
        """Refuse more numbers than any microcontroller holds, before memory is spent on them."""
        self.total += numbers
        if numbers > LARGEST_VALUE or self.total > LARGEST_TOTAL:
            raise ModelError(f"{what}: more than {min(LARGEST_VALUE, LARGEST_TOTAL):,} numbers")


def begin(shape: Sequence[int | None], *, channels_last: bool) -> tuple[Draft, Value]:
    """Return a draft with its sample.

    Parameters
    ----------
    shape
        In the file. The first of several sizes is the batch, and so is an open one, None.
    channels_last
        As for :meth:`Draft.sample`.
    """
    sizes = tuple(size for size in shape[1:] if size is not None)
    if len(shape) == 1 and shape[0] is not None:
        draft = Draft()
        return draft, draft.sample((shape[0],), channels_last=channels_last)
    draft = Draft((shape[0] or OPEN) if shape else 1)
    return draft, draft.sample((1, *sizes), channels_last=channels_last)


def with_bias(weights: NDArray[Any], bias: NDArray[Any] | None, outputs: int) -> dict[str, NDArray[Any]]:
    """Return the arrays of a layer."""
    if bias is not None and bias.shape != (outputs,):
        raise ModelError(f"a bias of {bias.shape} for {outputs} outputs")
    return {"weights": weights} if bias is None else {"weights": weights, "bias": bias}
