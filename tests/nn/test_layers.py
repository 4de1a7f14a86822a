"""Layers: shapes, and errors that say which layer, what it got and what to do."""

from __future__ import annotations

import numpy as np
import pytest

from shoal import nn
from shoal.errors import ConfigError

FLAT, IMAGE = (6,), (8, 7, 4)


@pytest.mark.parametrize(
    ("layer", "shape", "out"),
    [
        (nn.Dense(3), FLAT, (3,)),
        (nn.Dense(3, reserve=2), FLAT, (5,)),
        (nn.Conv2D(5), IMAGE, (8, 7, 5)),
        (nn.Conv2D(5, 3, 2), IMAGE, (4, 4, 5)),
        (nn.Conv2D(5, (3, 2), (2, 1), "valid"), IMAGE, (3, 6, 5)),
        (nn.DepthwiseConv2D(3, 3, multiplier=2), IMAGE, (3, 3, 8)),
        (nn.MaxPool2D(), IMAGE, (4, 3, 4)),
        (nn.MaxPool2D(3, 2, "same"), IMAGE, (4, 4, 4)),
        (nn.AveragePool2D((2, 7)), IMAGE, (4, 1, 4)),
        (nn.Residual(nn.Flatten(), shortcut=[nn.Reshape((224,))]), IMAGE, (224,)),
    ],
)
def test_output_shapes(layer, shape, out):
    assert nn.Network([layer], shape).output_shape == out


@pytest.mark.parametrize(
    ("layer", "shape", "out"),
    [
        (nn.GlobalAveragePool2D(), IMAGE, (4,)),
        (nn.Flatten(), IMAGE, (224,)),
        (nn.Reshape((4, 7, 8)), IMAGE, (4, 7, 8)),
        (nn.GroupNorm(2), IMAGE, IMAGE),
        (nn.GroupNorm(3), FLAT, FLAT),
        (nn.Standardize(), IMAGE, IMAGE),
        (nn.ReLU(), IMAGE, IMAGE),
        (nn.Softmax(), FLAT, FLAT),
        (nn.Residual(nn.Conv2D(4), nn.ReLU()), IMAGE, IMAGE),
        (nn.Residual(nn.Conv2D(3, 1, 2), shortcut=[nn.Conv2D(3, 3, 2)]), IMAGE, (4, 4, 3)),
    ],
)
def test_output_shapes_before_more(layer, shape, out):
    network = nn.Network([nn.Activation("relu"), layer], shape)
    assert network.output_shape == out


@pytest.mark.parametrize(
    ("layer", "shape", "what", "hint"),
    [
        (nn.Dense(3), IMAGE, r"takes a flat value, got \(8, 7, 4\)", "nn.Flatten()"),
        (nn.Conv2D(3), FLAT, r"takes \(height, width, channels\), got \(6,\)", "nn.Reshape"),
        (nn.DepthwiseConv2D(), FLAT, "takes", "nn.Reshape"),
        (nn.MaxPool2D(), FLAT, "MaxPool2D takes", "nn.Reshape"),
        (nn.GlobalAveragePool2D(), FLAT, "takes", "nn.Reshape"),
        (nn.GlobalAveragePool2D(), (300, 2, 1), "at most 255", "AveragePool2D"),
        (nn.Conv2D(3, 9, padding="valid"), IMAGE, r"kernel \(9, 9\) is larger", "same"),
        (nn.AveragePool2D(8), IMAGE, "is larger than the input", "same"),
        (nn.Softmax(), IMAGE, "softmax takes a flat value", "nn.Flatten()"),
        (nn.Reshape((5, 5, 5)), IMAGE, "224 values are not 125", None),
        (nn.GroupNorm(3), IMAGE, "4 channels cannot be split in 3", "groups=1"),
        (nn.Residual(nn.Dense(5)), FLAT, r"branch gives \(5,\), the shortcut \(6,\)", "shortcut="),
        (nn.Residual(nn.Dense(5, reserve=1)), FLAT, "reserve", "reserve=0"),
        (nn.Dense(3, trainable=[3]), FLAT, "channel 3, the layer has 0 to 2", None),
        (nn.Dense(3, trainable="weights"), FLAT, "unknown trainable 'weights'", "bias"),
        (nn.Dense(3, trainable="bias", bias=False), FLAT, "without bias", "bias=True"),
        (nn.Dense(3, trainable=[0, 0]), FLAT, "twice", None),
        (nn.Dense(3, trainable=[True]), FLAT, "channel True", None),
        (nn.Dense(3, trainable=None), FLAT, "unknown trainable None", "True"),
        (nn.Dense(70_000, trainable=slice(2)), FLAT, "at most 65,535", "trainable=True"),
    ],
)
def test_a_layer_that_does_not_fit_is_named_with_its_place_and_input(layer, shape, what, hint):
    with pytest.raises(ConfigError, match=what) as caught:
        nn.Network([nn.ReLU(), layer], shape)
    assert caught.value.where.startswith("layers[1]")
    if not isinstance(layer, nn.Residual):
        assert f"input {shape}" in caught.value.where
    assert (hint is None) == (caught.value.hint is None)
    if hint is not None:
        assert hint in caught.value.hint


def test_a_layer_inside_a_residual_is_named_with_its_place():
    with pytest.raises(ConfigError) as caught:
        nn.Network([nn.Residual(nn.Conv2D(4), nn.Dense(3))], IMAGE)
    assert caught.value.where == "layers[0].layers[1] 'dense_1', input (8, 7, 4)"


@pytest.mark.parametrize(
    ("layer", "what"),
    [
        (nn.Dense(0), "units must be 1 to"),
        (nn.Dense(2.5), "units must be an integer, got 2.5"),
        (nn.Dense(True), "units must be an integer"),
        (nn.Dense(3, "swish"), "unknown activation 'swish'"),
        (nn.Dense(3, reserve=-1), "reserve must be"),
        (nn.Dense(65_000, reserve=1_000), "at most 65,535"),
        (nn.Dense(3, init="normal"), "unknown init 'normal'"),
        (nn.Dense(3, bias=1), "bias must be True or False"),
        (nn.Dense(3, name="a.b"), "cannot be a layer's name"),
        (nn.Dense(3, name=""), "cannot be a layer's name"),
        (nn.Conv2D(3, 0), "kernel must be 1 to 255"),
        (nn.Conv2D(3, 256), "kernel must be 1 to 255"),
        (nn.Conv2D(3, (1, 2, 3)), "kernel must be an integer or two"),
        (nn.Conv2D(3, "3"), "kernel must be an integer or two"),
        (nn.Conv2D(3, 3, 0), "stride must be 1"),
        (nn.Conv2D(3, 3, 1, "full"), "padding must be 'same' or 'valid', got 'full'"),
        (nn.DepthwiseConv2D(multiplier=0), "multiplier must be 1"),
        (nn.MaxPool2D(0), "size must be 1"),
        (nn.AveragePool2D(2, 0), "stride must be 1"),
        (nn.Activation("linear"), "unknown activation 'linear'"),
        (nn.LeakyReLU(1.5), "slope must be"),
        (nn.LeakyReLU(float("nan")), "slope must be"),
        (nn.GroupNorm(0), "groups must be 1"),
        (nn.GroupNorm(epsilon=0), "epsilon must be"),
        (nn.Standardize(1.0), "forgetting must be"),
        (nn.Standardize(epsilon=float("inf")), "epsilon must be"),
        (nn.Reshape(()), "1 or 3 sizes"),
        (nn.Reshape(5), r"must be a tuple, got 5"),
        (nn.Reshape((2, -3, 4)), "each size of shape must be 1"),
        (nn.Residual(), "no layers in its branch"),
        ("dense", "'dense' is not a layer"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(layer, what):
    with pytest.raises(ConfigError, match=what):
        nn.Network([layer], IMAGE if not isinstance(layer, nn.Dense) else FLAT)


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Dense(2, reserve=1), nn.Dense(2)],
        [nn.Dense(2, reserve=1), nn.ReLU()],
        [nn.Dense(2, "tanh", reserve=1), nn.Flatten()],
        [nn.Dense(2, reserve=1), nn.Residual(nn.Softmax())],
    ],
)
def test_only_the_last_dense_may_hold_a_reserve(layers):
    with pytest.raises(ConfigError, match="after a Dense with reserve"):
        nn.Network(layers, FLAT)


def test_layers_are_values():
    assert nn.Dense(3, "tanh") == nn.Dense(3, activation="tanh")
    assert nn.Dense(3) != nn.Dense(4)
    assert nn.LeakyReLU(0.2) == nn.Activation("leaky_relu", 0.2)
    assert hash(nn.Residual(nn.Dense(3))) == hash(nn.Residual(nn.Dense(3)))
    with pytest.raises(AttributeError):
        nn.Dense(3).units = 4


@pytest.mark.parametrize(
    "layer",
    [
        nn.Dense(3, "tanh", bias=False, trainable=[1, 2]),
        nn.Conv2D(4, (3, 1), 2, name="first"),
        nn.Residual(nn.Dense(3), nn.Tanh(), shortcut=[nn.Dense(3)], name="block"),
        nn.Reshape((1, 2, 3)),
        nn.MaxPool2D(),
        nn.Standardize(0.5),
    ],
)
def test_a_layer_shows_the_call_that_makes_it(layer):
    name, _, arguments = repr(layer).partition("(")
    assert arguments.endswith(")")
    assert name == type(layer).__name__
    assert eval(repr(layer), vars(nn)) == layer


@pytest.mark.parametrize(
    ("init", "variance"),
    [
        ("glorot_uniform", 2 / 700),
        ("glorot_normal", 2 / 700),
        ("he_uniform", 2 / 300),
        ("he_normal", 2 / 300),
        ("lecun_uniform", 1 / 300),
        ("lecun_normal", 1 / 300),
        ("zeros", 0),
    ],
)
def test_first_weights_have_the_variance_of_their_rule(init, variance):
    weights = nn.Network([nn.Dense(400, init=init)], (300,)).arrays["dense_1.weights"]
    assert weights.dtype == np.float32
    assert weights.mean() == pytest.approx(0, abs=1e-3)
    assert weights.var() == pytest.approx(variance, rel=0.02)
    if init.endswith("uniform"):
        assert abs(weights).max() <= np.float32((3 * variance) ** 0.5)
