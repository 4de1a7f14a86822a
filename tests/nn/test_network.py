"""Networks: arrays, what learns, copies, and the table."""

from __future__ import annotations

import numpy as np
import pytest

from shoal import nn
from shoal.errors import ConfigError, InputError
from tests.nn.architectures import FIXED, randomised


def mlp(**arguments):
    return nn.Network([nn.Dense(8, "tanh"), nn.Dense(4, "tanh"), nn.Dense(2)], (3,), "mse", **arguments)


def test_equal_seeds_give_equal_bits_and_others_do_not():
    a, b, c = mlp(seed=7), mlp(seed=7), mlp(seed=8)
    np.testing.assert_array_equal(a.parameters, b.parameters)
    assert (a.arrays["dense_1.weights"] != c.arrays["dense_1.weights"]).all()
    assert not a.arrays["dense_1.bias"].any()


def test_the_first_weights_do_not_depend_on_what_learns():
    free, frozen = mlp(seed=7), nn.Network([nn.Dense(8, trainable=False), nn.Dense(4)], (3,), "mse", seed=7)
    np.testing.assert_array_equal(free.arrays["dense_1.weights"], frozen.arrays["dense_1.weights"])
    np.testing.assert_array_equal(free.arrays["dense_2.weights"], frozen.arrays["dense_2.weights"])


def test_arrays_have_the_usual_names_and_shapes():
    shapes = {name: array.shape for name, array in FIXED["depthwise"]().arrays.items()}
    assert shapes == {
        "depthwise_conv2d_1.weights": (3, 3, 2, 2),
        "depthwise_conv2d_1.bias": (4,),
        "conv2d_1.weights": (1, 1, 4, 5),
        "conv2d_1.bias": (5,),
        "depthwise_conv2d_2.weights": (2, 1, 5, 1),
        "dense_1.weights": (5, 2),
        "dense_1.bias": (2,),
    }


def test_names_count_by_kind_and_avoid_those_given():
    layers = [nn.Dense(2), nn.Tanh(), nn.Dense(2, name="dense_2"), nn.Residual(nn.Dense(2)), nn.Dense(2)]
    network = nn.Network(layers, (2,))
    assert [layer.name for layer in network.layers] == [
        "dense_1",
        "tanh_1",
        "dense_2",
        "residual_1",
        "dense_4",
    ]
    assert network.layers[3].layers[0].name == "dense_3"


def test_arrays_can_be_assigned_and_edited():
    network = mlp()
    network.arrays["dense_3.bias"] = np.array([1, 2], np.int64)
    network.arrays["dense_1.weights"][0, 0] = 5
    assert network.arrays["dense_3.bias"].dtype == np.float32
    assert network.parameters[0] == 5
    assert network.parameters[-2:].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("name", "values", "what"),
    [
        ("dense_3.bias", [1.0], r"shape \(1,\) instead of \(2,\)"),
        ("dense_3.bias", [1.0, np.nan], r"value nan at \(1,\)"),
        ("dense_3.bias", [1.0, 1e39], "is not a finite float32"),
        ("dense_3.bias", ["a", "b"], "dtype"),
        ("dense_3.bias", [True, False], "dtype bool"),
        ("dense_3.bias", [1j, 2], "dtype complex128"),
        ("dense_3.bias", [[1.0], [1.0, 2.0]], "rows differ"),
        ("dense_4.bias", [1.0, 2.0], "no array 'dense_4.bias'"),
    ],
)
def test_arrays_refuse_what_they_cannot_hold(name, values, what):
    network = mlp()
    before = network.parameters
    with pytest.raises(InputError, match=what):
        network.arrays[name] = values
    np.testing.assert_array_equal(network.parameters, before)


def test_parameters_are_what_learns_in_the_order_of_the_image():
    network = FIXED["biases"]()
    assert network.trainable == (
        "conv2d_1.bias", "group_norm_1.shift", "dense_1.bias", "dense_2.weights", "dense_2.bias",
    )  # fmt: skip
    np.testing.assert_array_equal(network.parameters, network.plan().parameters)


def test_with_parameters_gives_a_copy():
    network = FIXED["biases"]()
    vector = np.arange(network.parameters.size, dtype=np.float32)
    changed = network.with_parameters(vector)
    np.testing.assert_array_equal(changed.parameters, vector)
    np.testing.assert_array_equal(changed.arrays["dense_1.weights"], network.arrays["dense_1.weights"])
    assert not network.arrays["conv2d_1.bias"].any()
    with pytest.raises(InputError, match="instead of"):
        network.with_parameters(vector[1:])
    with pytest.raises(InputError, match="not a finite"):
        network.with_parameters(np.full(vector.size, np.nan))


def test_a_clone_shares_nothing():
    network = mlp()
    clone = network.clone()
    clone.arrays["dense_1.weights"][...] = 0
    assert network.arrays["dense_1.weights"].all()
    assert clone.layers == network.layers
    assert clone.plan().layout == network.plan().layout


def test_freeze_train_and_train_last_choose_what_learns():
    network = randomised(mlp(), 0)
    assert network.freeze("dense_1").trainable == network.train_last(2).trainable
    assert network.freeze().trainable == ()
    assert network.freeze().train("dense_2").trainable == ("dense_2.weights", "dense_2.bias")
    assert network.freeze().train().trainable == network.trainable
    assert network.train_last(0).trainable == ()
    for other in (network.freeze("dense_1"), network.train_last(1)):
        assert all((other.arrays[name] == array).all() for name, array in network.arrays.items())
    assert len(network.trainable) == 6


def test_the_name_of_a_residual_stands_for_all_inside():
    network = nn.Network(
        [nn.Residual(nn.Dense(3), nn.Tanh(), nn.Dense(3), shortcut=[nn.Dense(3)]), nn.Dense(1)], (3,), "mse"
    )
    assert network.freeze("residual_1").trainable == ("dense_4.weights", "dense_4.bias")
    assert network.freeze().train("residual_1").trainable == network.trainable[:6]


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda n: n.freeze("dense_9"), "no layer 'dense_9'"),
        (lambda n: n.train("relu_1"), "layer 'relu_1' has no parameters"),
        (lambda n: n.train_last(3), "takes 0 to 2 for this network, got 3"),
        (lambda n: n.train_last(-1), "takes 0 to 2"),
        (lambda n: n.train_last(1.0), "takes 0 to 2"),
    ],
)
def test_a_choice_that_cannot_be_met_is_refused(call, what):
    with pytest.raises(ConfigError, match=what):
        call(nn.Network([nn.Dense(3), nn.ReLU(), nn.Dense(1)], (3,), "mse"))


@pytest.mark.parametrize(
    ("layers", "shape", "loss", "seed", "what", "hint"),
    [
        (
            [nn.Dense(2)],
            (3,),
            "cross_entropy",
            0,
            "needs softmax as the last activation.*ends with dense",
            "softmax",
        ),
        ([nn.Dense(2, "softmax")], (3,), "bce", 0, "needs sigmoid .* ends with softmax", "sigmoid"),
        ([nn.Dense(2)], (3,), "mae", 0, "unknown loss 'mae'", "mse"),
        ([nn.Dense(2)], 3, "mse", 0, "input_shape must be a tuple, got 3", r"(3,)"),
        ([nn.Dense(2)], (3, 4), "mse", 0, "1 or 3 sizes", "height"),
        ([nn.Dense(2)], (0,), "mse", 0, "each size of input_shape must be 1", None),
        ([nn.Dense(2)], (1 << 20, 1 << 10, 1), "mse", 0, "more than 268,435,456", None),
        ([nn.Dense(2)], (3,), "mse", -1, "seed must be", None),
        ([nn.Dense(2)], (3,), "mse", "0", "seed must be", None),
        ([], (3,), None, 0, "computes nothing", "nn.Dense(1)"),
        ([nn.Flatten()], (3,), None, 0, "computes nothing", "nn.Dense(1)"),
        (nn.Dense(2), (3,), "mse", 0, "one layer instead of a list", "[layer]"),
        ([nn.Dense(2, name="a"), nn.Dense(2, name="a")], (3,), "mse", 0, "two layers are named 'a'", None),
        ([nn.Tanh()] * 257, (3,), "mse", 0, "257 layers, at most 256", None),
        ([nn.Dense(1 << 20)], (1 << 20,), "mse", 0, "parameters, at most", None),
    ],
)
def test_a_network_that_cannot_be_is_refused(layers, shape, loss, seed, what, hint):
    with pytest.raises(ConfigError, match=what) as caught:
        nn.Network(layers, shape, loss, seed)
    assert caught.value.where is not None
    assert hint is None or hint in caught.value.hint


def test_from_arrays_wants_every_array_once():
    network = mlp()
    arguments = (network.layers, network.input_shape, network.loss, network.seed)
    arrays = dict(network.arrays)
    same = nn.Network.from_arrays(*arguments, arrays)
    np.testing.assert_array_equal(same.parameters, network.parameters)
    assert same.arrays["dense_1.bias"] is not arrays["dense_1.bias"]
    with pytest.raises(InputError, match=r"'dense_1.bias' is missing"):
        nn.Network.from_arrays(*arguments, {k: v for k, v in arrays.items() if k != "dense_1.bias"})
    with pytest.raises(InputError, match="'x' is not one of the layers'"):
        nn.Network.from_arrays(*arguments, arrays | {"x": np.zeros(1)})


def test_the_summary_is_a_table_of_all_layers_with_totals():
    network = nn.Network(
        [
            nn.Conv2D(4, 3, 2, activation="relu", trainable="bias"),
            nn.Flatten(),
            nn.Dense(5, "tanh", trainable=[0, 2]),
            nn.Dense(10, "softmax"),
        ],
        (8, 8, 1),
        "cross_entropy",
    )
    text = network.summary("momentum")
    lines = text.splitlines()
    assert lines[0].split() == ["layer", "output", "parameters", "MACs", "trainable", "RAM"]
    assert lines[2].split() == ["conv2d_1", "4", "x", "4", "x", "4", "40", "576", "bias", "32", "B"]
    assert lines[3].split() == ["flatten_1", "64", "0", "0", "0", "B"]
    assert lines[4].split() == ["dense_1", "5", "325", "320", "2", "channels", "2,600", "B"]
    assert lines[5].split() == ["dense_2", "10", "60", "50", "yes", "480", "B"]
    total = sum(network.plan("momentum").ram().values())
    assert lines[-1].split()[-2:] == [f"{total:,}", "B"]
    assert "learn with momentum" in lines[-1]
    assert max(map(len, lines)) <= 100


def test_a_network_without_loss_shows_what_answering_takes():
    text = nn.Network([nn.Standardize(), nn.Dense(2)], (3,)).summary()
    assert "total to answer" in text
    assert "28 B" in text.splitlines()[2]


def test_a_network_shows_its_layers():
    assert repr(nn.Network([nn.Dense(2, name="a")], (3,), "mse", 5)) == (
        "Network([Dense(name='a', units=2)], input_shape=(3,), loss='mse', seed=5)"
    )
