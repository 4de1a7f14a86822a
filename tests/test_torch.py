"""Gradients against PyTorch, over random shapes, strides and paddings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shoal import nn
from shoal.runtime import Executor
from tests.nn.architectures import samples

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
F = torch.nn.functional

ACTIVATIONS = {
    "relu": torch.relu,
    "relu6": F.relu6,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.01),
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softmax": lambda x: torch.softmax(x.flatten(), 0).reshape(x.shape),
    None: lambda x: x,
}


def padded(x, layer, kernel, stride, value=0.0):
    """Pad (1, C, H, W) as "same" does: the odd position comes last."""
    if layer.padding == "valid":
        return x
    pads = []
    for size, k, s in reversed(list(zip(x.shape[2:], kernel, stride, strict=True))):
        total = max(0, (-(-size // s) - 1) * s + k - size)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads, value=value)


def pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


def forward(network, arrays, x):
    x = x.permute(2, 0, 1)[None] if x.ndim == 3 else x
    for layer in network.layers:
        if isinstance(layer, nn.Flatten):
            x = x[0].permute(1, 2, 0).flatten()
            continue
        w, b = arrays.get(f"{layer.name}.weights"), arrays.get(f"{layer.name}.bias")
        if isinstance(layer, nn.Dense):
            x = x @ w if b is None else x @ w + b
        elif isinstance(layer, nn.Conv2D | nn.DepthwiseConv2D):
            kernel, stride = pair(layer.kernel), pair(layer.stride)
            x = padded(x, layer, kernel, stride)
            if isinstance(layer, nn.Conv2D):
                x = F.conv2d(x, w.permute(3, 2, 0, 1), b, stride)
            else:
                # Output channel c * multiplier + m belongs to input channel c, as in PyTorch's groups.
                kernels = w.reshape(*kernel, 1, -1).permute(3, 2, 0, 1)
                x = F.conv2d(x, kernels, b, stride, groups=x.shape[1])
        elif isinstance(layer, nn.MaxPool2D):
            kernel, stride = pair(layer.size), pair(layer.stride or layer.size)
            x = F.max_pool2d(padded(x, layer, kernel, stride, -float("inf")), kernel, stride)
        elif isinstance(layer, nn.GroupNorm):
            scale, shift = arrays[f"{layer.name}.scale"], arrays[f"{layer.name}.shift"]
            groups = x.reshape(layer.groups, -1)  # torch's own refuses groups of one value
            mean, variance = groups.mean(1, keepdim=True), groups.var(1, keepdim=True, unbiased=False)
            x = ((groups - mean) / torch.sqrt(variance + layer.epsilon)).reshape(x.shape)
            x = x * scale[None, :, None, None] + shift[None, :, None, None]
        elif isinstance(layer, nn.GlobalAveragePool2D):
            x = x.mean((2, 3), keepdim=True)
        x = ACTIVATIONS[getattr(layer, "activation", None)](x)
    return x


def loss_of(network, y, target):
    if network.loss == "cross_entropy":
        return -torch.log(y[int(target[0])])
    expected = torch.tensor(target, dtype=torch.float64)
    y = y[0].permute(1, 2, 0) if y.ndim == 4 else y
    return F.binary_cross_entropy(y, expected) if network.loss == "bce" else F.mse_loss(y, expected)


@st.composite
def networks(draw):
    size = st.tuples(st.integers(1, 3), st.integers(1, 3))
    shape = (draw(st.integers(3, 10)), draw(st.integers(3, 10)), draw(st.integers(1, 4)))
    padding, function = st.sampled_from(["same", "valid"]), st.sampled_from([*list(ACTIVATIONS)[:5], None])
    conv = st.builds(nn.Conv2D, st.integers(1, 20), size, size, padding, function, bias=st.booleans())
    depthwise = st.builds(
        nn.DepthwiseConv2D, size, size, padding, st.integers(1, 3), function, bias=st.booleans()
    )
    pool = st.builds(nn.MaxPool2D, st.integers(1, 3), size, st.just("same"))
    layers = [draw(st.one_of(conv, depthwise)), draw(st.one_of(pool, st.just(nn.GroupNorm(epsilon=0.01))))]
    last, loss = draw(
        st.sampled_from(
            [
                ("softmax", "cross_entropy"),
                ("sigmoid", "bce"),
                (None, "mse"),
                ("tanh", "mse"),
                ("softmax", "mse"),
            ]
        )
    )
    if draw(st.booleans()):
        layers.append(nn.GlobalAveragePool2D())
    layers += [
        nn.Flatten(),
        nn.Dense(draw(st.integers(1, 20)), "tanh"),
        nn.Dense(draw(st.integers(1, 9)), last),
    ]
    return nn.Network(layers, shape, loss, seed=draw(st.integers(0, 999)))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks())
def test_gradients_equal_pytorch(network):
    plan = network.plan(accumulate=True)
    executor = Executor(plan.image())
    ((x, target),) = samples(network, 1, 3)
    y, loss = executor.learn(x, target)
    arrays = {
        name: torch.tensor(array, dtype=torch.float64, requires_grad=True)
        for name, array in network.arrays.items()
    }
    answer = forward(network, arrays, torch.tensor(x, dtype=torch.float64))
    expected_loss = loss_of(network, answer, target)
    expected_loss.backward()
    assert np.abs(y - answer.detach().numpy().ravel()).max() < 1e-5
    assert loss == pytest.approx(expected_loss.item(), rel=1e-4, abs=1e-5)
    largest = max(0.1, *(float(array.grad.abs().max()) for array in arrays.values()))
    slot = executor.state[plan.parameters.size :]
    for name, offset, shape in plan.layout:
        actual = slot[offset : offset + np.prod(shape, dtype=int)].reshape(shape)
        assert np.abs(actual - arrays[name].grad.numpy()).max() <= 5e-5 * largest
