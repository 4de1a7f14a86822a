"""An independent reference in float64: the mathematics of every layer, loss and optimizer.

``Oracle`` follows the layers of a network and knows nothing of plans; ``tests.machine.Machine`` follows the
bytes of an image and knows nothing of layers. The runtime must agree with both.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from shoal import nn
from tests.machine import DEFAULTS, LEAST_NORMAL, Machine, execute_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Gradients = dict[str, Array]
    Backward = Callable[[Array, Gradients], Array]


__all__ = ["Machine", "Oracle", "execute_image"]


class Oracle:
    """A network that predicts and learns in float64, written from the mathematics of its layers.

    Parameters
    ----------
    network
        Its layers, loss and parameters; it is not changed.
    """

    def __init__(self, network: nn.Network) -> None:
        self.network = network
        self.arrays = {name: array.astype(np.float64) for name, array in network.arrays.items()}
        self.statistics: dict[str, dict[str, Array]] = {}
        self.slots: dict[str, Gradients] = {"m": {}, "v": {}}
        self.sums: Gradients = {}
        self.anchor: Gradients = {}
        self.pending = 0
        self.steps = 0
        self.capacity = network.output_shape[-1]
        reserve = [layer.reserve for layer in network.layers if isinstance(layer, nn.Dense)]
        self.active = self.capacity - (reserve[-1] if reserve else 0)

    # Use

    def predict(self, x: ArrayLike) -> Array:
        """Return the answer; outputs in reserve are 0."""
        y, _ = self.forward(x, observe=False)
        return self.padded(y)

    def loss(self, x: ArrayLike, target: ArrayLike) -> float:
        """Return the loss of one sample."""
        y, _ = self.forward(x, observe=False)
        return self.loss_of(y, target)[0]

    def gradients(self, x: ArrayLike, target: ArrayLike) -> Gradients:
        """Return the gradient of the loss for every parameter, whether it learns or not."""
        return self.loss_and_gradients(x, target, observe=False)[2]

    def input_gradient(self, x: ArrayLike, target: ArrayLike) -> Array:
        """Return the gradient of the loss for the sample."""
        return self.loss_and_gradients(x, target, observe=False)[3]

    def observe(self, x: ArrayLike) -> None:
        """Let the running statistics see a sample."""
        self.forward(x, observe=True)

    def grow(self) -> None:
        """Take one more output into use."""
        assert self.active < self.capacity
        self.active += 1

    # Learn

    def step(
        self, x: ArrayLike, target: ArrayLike, optimizer: str = "sgd", **settings: float
    ) -> tuple[Array, float]:
        """Learn one sample; return answer and loss before the update."""
        y, loss, gradients, _ = self.loss_and_gradients(x, target, observe=True)
        self.update(gradients, optimizer, DEFAULTS | settings)
        return self.padded(y), loss

    def accumulate(self, x: ArrayLike, target: ArrayLike) -> float:
        """Add the gradient of one sample to those since the last step; return the loss."""
        _, loss, gradients, _ = self.loss_and_gradients(x, target, observe=True)
        for name, gradient in gradients.items():
            self.sums[name] = self.sums.get(name, np.zeros_like(gradient)) + gradient
        self.pending += 1
        return loss

    def apply(self, optimizer: str = "sgd", **settings: float) -> None:
        """Take a step with the mean of the gradients added up."""
        chosen = DEFAULTS | settings
        gradients = {name: total / self.pending for name, total in self.sums.items()}
        if self.anchor:
            for name in gradients:
                gradients[name] += chosen["proximal"] * (self.arrays[name] - self.anchor[name])
        self.update(gradients, optimizer, chosen)
        self.sums, self.pending = {}, 0

    def set_anchor(self) -> None:
        """Remember the present parameters."""
        self.anchor = {name: array.copy() for name, array in self.arrays.items()}

    def update(self, gradients: Gradients, optimizer: str, s: dict[str, float]) -> None:
        """Change what learns, as Kingma and Ba (2015) or heavy-ball momentum or plain descent say."""
        self.steps += 1
        for layer in every_layer(self.network.layers):
            for part in ("weights", "bias", "scale", "shift"):
                name = f"{layer.name}.{part}"
                if name not in gradients:
                    continue
                g, w = gradients[name], self.arrays[name]
                learns = np.broadcast_to(self.learning_channels(layer, part), w.shape)
                if optimizer == "sgd":
                    change = g
                elif optimizer == "momentum":
                    m = self.slots["m"].setdefault(name, np.zeros_like(w))
                    m[...] = np.where(learns, s["momentum"] * m + g, m)
                    change = m
                else:
                    m = self.slots["m"].setdefault(name, np.zeros_like(w))
                    v = self.slots["v"].setdefault(name, np.zeros_like(w))
                    m[...] = np.where(learns, s["beta1"] * m + (1 - s["beta1"]) * g, m)
                    v[...] = np.where(learns, s["beta2"] * v + (1 - s["beta2"]) * g**2, v)
                    change = (m / (1 - s["beta1"] ** self.steps)) / (
                        np.sqrt(v / (1 - s["beta2"] ** self.steps)) + s["epsilon"]
                    )
                w[...] = np.where(learns, w - s["rate"] * change, w)

    def learning_channels(self, layer: nn.Layer, part: str) -> NDArray[np.bool_]:
        """Return for each output channel of an array whether it learns."""
        array = self.arrays[f"{layer.name}.{part}"]
        shape = array.shape
        if isinstance(layer, nn.DepthwiseConv2D) and part == "weights":
            shape = (*shape[:2], shape[2] * shape[3])
        channels = np.zeros(shape[-1], bool)
        trainable = layer.trainable  # type: ignore[attr-defined]  # only layers with parameters come here
        if trainable is True or (trainable == "bias" and part in {"bias", "shift"}):
            channels[:] = True
        elif isinstance(trainable, slice):
            channels[trainable] = True
        elif not isinstance(trainable, bool | str):
            channels[list(trainable)] = True
        if shape[-1] == self.capacity and isinstance(layer, nn.Dense) and layer.reserve:
            channels[self.active :] = False
        if isinstance(layer, nn.DepthwiseConv2D) and part == "weights":
            return channels.reshape(array.shape[2:])
        return channels

    # The mathematics

    def padded(self, y: Array) -> Array:
        """Return the answer with 0 for outputs in reserve."""
        if y.shape[-1] == self.capacity:
            return y
        return np.concatenate([y, np.zeros(self.capacity - y.size)])

    def loss_of(self, y: Array, target: ArrayLike) -> tuple[float, Array]:
        """Return the loss and its gradient, for the logits in the case of bce and cross_entropy."""
        if self.network.loss == "cross_entropy":
            label = int(np.asarray(target).item())
            gradient = y.copy()
            gradient[label] -= 1
            return -math.log(max(y[label], LEAST_NORMAL)), gradient
        t = np.asarray(target, np.float64).reshape(-1)[: y.size].reshape(y.shape)
        if self.network.loss == "mse":
            return float(np.mean((y - t) ** 2)), 2 * (y - t) / y.size
        z = self.logits
        loss = np.mean(np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z))))
        return float(loss), (y - t) / y.size

    def loss_and_gradients(
        self, x: ArrayLike, target: ArrayLike, *, observe: bool
    ) -> tuple[Array, float, Gradients, Array]:
        """Return answer, loss, gradients of all parameters, gradient of the sample."""
        y, tape = self.forward(x, observe=observe)
        loss, d = self.loss_of(y, target)
        if self.network.loss in {"bce", "cross_entropy"}:
            tape = tape[:-1]
        gradients: Gradients = {}
        return y, loss, gradients, backward(tape, d, gradients)

    def forward(self, x: ArrayLike, *, observe: bool) -> tuple[Array, list[Backward]]:
        """Return the answer and the way back."""
        sample = np.asarray(x, np.float64).reshape(self.network.input_shape)
        return self.run(self.network.layers, sample, observe=observe)

    def run(self, layers: tuple[nn.Layer, ...], x: Array, *, observe: bool) -> tuple[Array, list[Backward]]:
        """Run layers one after the other."""
        tape: list[Backward] = []
        for layer in layers:
            if isinstance(layer, nn.Residual):
                x, back = self.residual(layer, x, observe=observe)
            elif isinstance(layer, nn.Standardize):
                x, back = self.standardize(layer, x, observe=observe)
            elif isinstance(layer, nn.Activation):
                self.logits = x
                x, back = activation(layer.function, x, layer.slope)
            else:
                x, back = self.layer(layer, x)
            tape.append(back)
            function = getattr(layer, "activation", None)
            if function is not None:
                self.logits = x
                x, back = activation(function, x, 0.01)
                tape.append(back)
        return x, tape

    def residual(self, layer: nn.Residual, x: Array, *, observe: bool) -> tuple[Array, Backward]:
        """Sum of both ways."""
        branch, branch_tape = self.run(layer.layers, x, observe=observe)
        short, short_tape = self.run(layer.shortcut, x, observe=observe)

        def back(dy: Array, gradients: Gradients) -> Array:
            return backward(branch_tape, dy, gradients) + backward(short_tape, dy, gradients)

        return branch + short, back

    def layer(self, layer: nn.Layer, x: Array) -> tuple[Array, Backward]:
        """Run one layer without its activation."""
        if isinstance(layer, nn.Dense):
            return self.dense(layer, x)
        if isinstance(layer, nn.Conv2D):
            return self.convolution(layer, x, self.arrays[f"{layer.name}.weights"])
        if isinstance(layer, nn.DepthwiseConv2D):
            return self.depthwise(layer, x)
        if isinstance(layer, nn.MaxPool2D):
            return max_pool(layer, x)
        if isinstance(layer, nn.AveragePool2D):
            return average_pool(layer, x)
        if isinstance(layer, nn.GlobalAveragePool2D):
            count = x.shape[0] * x.shape[1]
            return x.mean((0, 1)), lambda dy, _: np.broadcast_to(dy / count, x.shape)
        if isinstance(layer, nn.GroupNorm):
            return self.group_norm(layer, x)
        assert isinstance(layer, nn.Flatten | nn.Reshape)
        shape = (-1,) if isinstance(layer, nn.Flatten) else layer.shape
        return x.reshape(shape), lambda dy, _: dy.reshape(x.shape)

    def dense(self, layer: nn.Dense, x: Array) -> tuple[Array, Backward]:
        """y = x W + b over the outputs in use."""
        n = self.active if layer.reserve else layer.units
        w = self.arrays[f"{layer.name}.weights"]
        b = self.arrays.get(f"{layer.name}.bias", np.zeros(w.shape[1]))

        def back(dy: Array, gradients: Gradients) -> Array:
            full = np.zeros(w.shape[1])
            full[:n] = dy
            gradients[f"{layer.name}.weights"] = np.outer(x, full)
            if layer.bias:
                gradients[f"{layer.name}.bias"] = full
            return w[:, :n] @ dy

        return x @ w[:, :n] + b[:n], back

    def convolution(
        self, layer: nn.Conv2D | nn.DepthwiseConv2D, x: Array, w: Array
    ) -> tuple[Array, Backward]:
        """Sum of the windows times the weights (kernel height, kernel width, in, out)."""
        windows, before, padded = windows_of(x, w.shape[:2], both(layer.stride), layer.padding, 0.0)
        y = np.einsum("hwckl,klco->hwo", windows, w)
        if layer.bias:
            y = y + self.arrays[f"{layer.name}.bias"]

        def back(dy: Array, gradients: Gradients) -> Array:
            gradients[f"{layer.name}.weights"] = np.einsum("hwckl,hwo->klco", windows, dy)
            if layer.bias:
                gradients[f"{layer.name}.bias"] = dy.sum((0, 1))
            spread = np.einsum("hwo,klco->hwckl", dy, w)
            return scatter(spread, x.shape, before, padded, both(layer.stride))

        return y, back

    def depthwise(self, layer: nn.DepthwiseConv2D, x: Array) -> tuple[Array, Backward]:
        """A full convolution whose weights are 0 between channels that do not belong together."""
        w = self.arrays[f"{layer.name}.weights"]
        kh, kw, channels, multiplier = w.shape
        full = np.zeros((kh, kw, channels, channels * multiplier))
        for c in range(channels):
            full[:, :, c, c * multiplier : (c + 1) * multiplier] = w[:, :, c]
        y, back_full = self.convolution(layer, x, full)

        def back(dy: Array, gradients: Gradients) -> Array:
            dx = back_full(dy, gradients)
            dense = gradients[f"{layer.name}.weights"].reshape(kh, kw, channels, channels, multiplier)
            gradients[f"{layer.name}.weights"] = np.einsum("klccm->klcm", dense)
            return dx

        return y, back

    def group_norm(self, layer: nn.GroupNorm, x: Array) -> tuple[Array, Backward]:
        """Wu and He (2018), equation 7; back through mean and variance as functions of x."""
        scale, shift = self.arrays[f"{layer.name}.scale"], self.arrays[f"{layer.name}.shift"]
        grouped = x.reshape(-1, layer.groups, x.shape[-1] // layer.groups)
        n = grouped.shape[0] * grouped.shape[2]
        mean = grouped.mean((0, 2), keepdims=True)
        deviation = np.sqrt(grouped.var((0, 2), keepdims=True) + as_stored(layer.epsilon))
        normal = ((grouped - mean) / deviation).reshape(x.shape)

        def back(dy: Array, gradients: Gradients) -> Array:
            axes = tuple(range(x.ndim - 1))
            gradients[f"{layer.name}.scale"] = (dy * normal).sum(axes)
            gradients[f"{layer.name}.shift"] = dy.sum(axes)
            d = (dy * scale).reshape(grouped.shape)
            d_variance = (d * (grouped - mean)).sum((0, 2), keepdims=True) * -0.5 * deviation**-3
            d_mean = -d.sum((0, 2), keepdims=True) / deviation
            return (d / deviation + d_variance * 2 * (grouped - mean) / n + d_mean / n).reshape(x.shape)

        return normal * scale + shift, back

    def standardize(self, layer: nn.Standardize, x: Array, *, observe: bool) -> tuple[Array, Backward]:
        """Running mean and deviation of each value; constants for the way back."""
        start = {"mean": np.zeros_like(x), "spread": np.zeros_like(x), "count": np.zeros(())}
        s = self.statistics.setdefault(str(layer.name), start)
        if observe:
            s["count"] += 1
            if layer.forgetting:
                rate = max(as_stored(layer.forgetting), 1 / s["count"])
                d = x - s["mean"]
                s["mean"] += rate * d
                s["spread"][...] = (1 - rate) * (s["spread"] + rate * d**2)
            else:
                d = x - s["mean"]
                s["mean"] += d / s["count"]
                s["spread"] += d * (x - s["mean"])
        if s["count"] == 0:
            variance = np.ones_like(x)
        else:
            variance = s["spread"] / (1 if layer.forgetting else s["count"])
        deviation = np.sqrt(variance + as_stored(layer.epsilon))
        return (x - s["mean"]) / deviation, lambda dy, _: dy / deviation


def every_layer(layers: tuple[nn.Layer, ...]) -> list[nn.Layer]:
    """Return all layers, also those inside a Residual."""
    found: list[nn.Layer] = []
    for layer in layers:
        if isinstance(layer, nn.Residual):
            found += every_layer(layer.layers) + every_layer(layer.shortcut)
        found.append(layer)
    return found


def backward(tape: list[Backward], d: Array, gradients: Gradients) -> Array:
    """Go back along a tape."""
    for back in reversed(tape):
        d = back(d, gradients)
    return d


def activation(function: str, x: Array, slope: float) -> tuple[Array, Backward]:
    """Run an activation."""
    if function == "softmax":
        e = np.exp(x - x.max())
        p = e / e.sum()
        return p, lambda dy, _: (np.diag(p) - np.outer(p, p)) @ dy
    if function == "sigmoid":
        s = 0.5 * (1 + np.tanh(x / 2))
        return s, lambda dy, _: dy * s * (1 - s)
    if function == "tanh":
        return np.tanh(x), lambda dy, _: dy / np.cosh(x) ** 2
    if function == "relu":
        return np.where(x > 0, x, 0), lambda dy, _: np.where(x > 0, dy, 0)
    if function == "relu6":
        return np.clip(x, 0, 6), lambda dy, _: np.where((x > 0) & (x < 6), dy, 0)
    assert function == "leaky_relu"
    slope = as_stored(slope)
    return np.where(x < 0, slope * x, x), lambda dy, _: np.where(x < 0, slope * dy, dy)


def as_stored(number: float) -> float:
    """Return a setting as an image holds it, in binary32."""
    return float(np.float32(number))


def both(size: Any) -> tuple[int, int]:
    """Return a pair."""
    return (size, size) if isinstance(size, int) else tuple(size)


def windows_of(
    x: Array, kernel: tuple[int, ...], stride: tuple[int, int], padding: str, fill: float
) -> tuple[Array, tuple[int, int], tuple[int, ...]]:
    """Return windows (rows, columns, channels, *kernel), the padding before, and the shape with padding."""
    pads = [(0, 0), (0, 0), (0, 0)]
    if padding == "same":
        for axis in (0, 1):
            out = math.ceil(x.shape[axis] / stride[axis])
            total = max((out - 1) * stride[axis] + kernel[axis] - x.shape[axis], 0)
            pads[axis] = (total // 2, total - total // 2)
    padded = np.pad(x, pads, constant_values=fill)
    windows = sliding_window_view(padded, tuple(kernel), axis=(0, 1))[:: stride[0], :: stride[1]]
    return windows, (pads[0][0], pads[1][0]), padded.shape


def scatter(
    spread: Array,
    shape: tuple[int, ...],
    before: tuple[int, int],
    padded: tuple[int, ...],
    stride: tuple[int, int],
) -> Array:
    """Add each window position (rows, columns, channels, *kernel) to its place in the input."""
    total = np.zeros(padded)
    rows, columns, _, kh, kw = spread.shape
    for k in range(kh):
        for j in range(kw):
            total[k : k + rows * stride[0] : stride[0], j : j + columns * stride[1] : stride[1]] += spread[
                ..., k, j
            ]
    return total[before[0] : before[0] + shape[0], before[1] : before[1] + shape[1]]


def max_pool(layer: nn.MaxPool2D, x: Array) -> tuple[Array, Backward]:
    """The largest of each window; the first of equals receives the gradient."""
    size = both(layer.size)
    stride = size if layer.stride is None else both(layer.stride)
    windows, before, padded = windows_of(x, size, stride, layer.padding, -np.inf)
    flat = windows.reshape(*windows.shape[:3], -1)
    chosen = flat.argmax(-1)

    def back(dy: Array, _: Gradients) -> Array:
        spread = np.zeros(flat.shape)
        np.put_along_axis(spread, chosen[..., None], dy[..., None], -1)
        return scatter(spread.reshape(windows.shape), x.shape, before, padded, stride)

    return flat.max(-1), back


def average_pool(layer: nn.AveragePool2D, x: Array) -> tuple[Array, Backward]:
    """The mean of each window without its padding."""
    size = both(layer.size)
    stride = size if layer.stride is None else both(layer.stride)
    windows, before, padded = windows_of(x, size, stride, layer.padding, 0.0)
    inside, _, _ = windows_of(np.ones_like(x), size, stride, layer.padding, 0.0)
    count = inside.sum((-1, -2))

    def back(dy: Array, _: Gradients) -> Array:
        return scatter(inside * (dy / count)[..., None, None], x.shape, before, padded, stride)

    return windows.sum((-1, -2)) / count, back
