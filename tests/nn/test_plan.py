"""Plans and images: executed by an independent interpreter they do what the mathematics says."""

from __future__ import annotations

import math
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal import nn
from shoal.errors import ConfigError, InputError
from tests.nn.architectures import FIXED, networks, randomised, samples
from tests.oracle import Oracle, execute_image

OPTIMIZERS = ["sgd", "momentum", "adam"]
NONE = 0xFFFF
# Adam divides by the root of a squared gradient: with its usual epsilon, rounding errors around 0 would show.
# A small rate, so that no network diverges.
SETTINGS = {"rate": 0.003, "epsilon": 1e-3}


def assert_same(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-11)


def state_of(oracle, plan):
    """Return the oracle's parameters in the order of the plan."""
    parts = [oracle.arrays[name].reshape(-1) for name, _, _ in plan.layout]
    return np.concatenate([*parts, np.zeros(0)])


def check_learning(network, optimizer):
    """Execute the image and the mathematics side by side, sample by sample."""
    plan = network.plan(optimizer)
    machine = execute_image(plan.image(), **SETTINGS)
    oracle = Oracle(network)
    for i, (x, target) in enumerate(samples(network, 4, 1)):
        y, loss = machine.learn(x, target)
        expected_y, expected_loss = oracle.step(x, target, optimizer, **SETTINGS)
        assert_same(y.reshape(-1), expected_y.reshape(-1))
        assert_same(loss, expected_loss)
        assert_same(machine.parameters, state_of(oracle, plan))
        assert_same(machine.predict(x).reshape(-1), oracle.predict(x).reshape(-1))
        if i == 1 and oracle.active < oracle.capacity:
            oracle.grow()
            machine.active += 1


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", FIXED)
def test_an_image_learns_as_the_mathematics_does(name, optimizer):
    check_learning(randomised(FIXED[name](), 7), optimizer)


@settings(max_examples=120, deadline=None)
@given(networks(), st.sampled_from(OPTIMIZERS))
def test_any_image_learns_as_the_mathematics_does(network, optimizer):
    check_learning(network, optimizer)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", ["mlp", "conv", "biases", "channels", "growing", "standardised"])
@pytest.mark.parametrize("anchor", [False, True])
def test_gradients_add_up_and_apply(name, optimizer, anchor):
    network = randomised(FIXED[name](), 2)
    plan = network.plan(optimizer, accumulate=True, anchor=anchor)
    machine = execute_image(plan.image(), **SETTINGS, proximal=0.3)
    oracle = Oracle(network)
    if anchor:
        oracle.set_anchor()
        machine.slot("anchor")[:] = machine.parameters
    for _ in range(2):
        for x, target in samples(network, 3, 4):
            assert_same(machine.learn(x, target)[1], oracle.accumulate(x, target))
        machine.apply()
        oracle.apply(optimizer, **SETTINGS, proximal=0.3)
        assert_same(machine.parameters, state_of(oracle, plan))


@settings(max_examples=60, deadline=None)
@given(networks())
def test_a_plan_to_answer_needs_no_more_memory_than_one_to_learn(network):
    answering, learning = network.plan(None), network.plan("sgd")
    assert answering.arena <= learning.arena
    assert answering.learning == ()
    assert answering.parameters.size == 0
    assert len(answering.constants) == len(learning.constants) + 4 * learning.parameters.size
    machine, oracle = execute_image(answering.image()), Oracle(network)
    for x, _ in samples(network, 2, 9):
        assert_same(machine.predict(x).reshape(-1), oracle.predict(x).reshape(-1))


def test_the_header_is_what_the_format_says():
    network = nn.Network([nn.Standardize(), nn.Dense(2, "softmax", reserve=3)], (4,), "cross_entropy")
    plan = network.plan("adam", accumulate=True, anchor=True)
    image = plan.image()
    assert image[:4] == b"SHOL"
    version, flags, size, checksum = struct.unpack_from("<HHII", image, 4)
    assert (version, flags, size) == (2, 3, len(image))
    assert checksum == zlib.crc32(image[16:])
    counts = struct.unpack_from("<8I", image, 16)
    # Standardize, Dense, softmax; loss, Dense; no runs; 5 * 4 weights and 5 biases; 2 * 4 + 1 statistics.
    assert counts[1:6] == (3, 2, 0, 25, 9)
    assert counts[0] == len(plan.tensors)
    assert counts[6] == plan.arena
    assert counts[7] == 0
    _, _, optimizer, _, active = struct.unpack_from("<HHBBH", image, 48)
    assert (optimizer, active) == (3, 2)
    assert plan.state == 25 * 5 + 9
    assert len(image) == 64 + 20 * counts[0] + 36 * 5 + 4 * 25


def test_the_image_of_a_small_network_byte_by_byte():
    network = nn.Network([nn.Dense(1)], (2,), "mse")
    network.arrays["dense_1.weights"] = [[1.0], [2.0]]
    body = struct.pack("<8I2H2BHQ", 4, 1, 2, 0, 3, 0, 3, 0, 0, 3, 1, 0, 1, 0)
    body += b"".join(
        struct.pack("<4I2BH", offset, 1, rows, columns, space, 0, 0)
        for offset, rows, columns, space in [(0, 1, 2, 0), (0, 2, 1, 1), (2, 1, 1, 1), (2, 1, 1, 0)]
    )
    for code, flags, tensors in [
        (1, 0, (0, NONE, 3, 1, 2, NONE)),
        (32, 0, (3, NONE, 3, NONE, NONE, NONE)),
        (65, 3, (0, 3, NONE, 1, 2, NONE)),
    ]:
        body += struct.pack("<4B6H8B2H2f", code, flags, 0, 0, *tensors, *[0] * 8, 0, 0, 0.0, 0.0)
    body += struct.pack("<3f", 1, 2, 0)
    head = struct.pack("<IHHII", 0x4C4F4853, 2, 0, 16 + len(body), zlib.crc32(body))
    tensors = read_tensors(network.plan().image())
    assert sorted(tensors) == sorted(read_tensors(head + body))
    assert execute_image(head + body).predict([3, 4]) == execute_image(network.plan().image()).predict([3, 4])


def read_tensors(image):
    (count,) = struct.unpack_from("<I", image, 16)
    return [struct.unpack_from("<4I2BH", image, 64 + 20 * i) for i in range(count)]


def test_backward_stops_at_the_first_layer_that_learns():
    network = nn.Network([nn.Dense(8, "tanh"), nn.Dense(8, "tanh"), nn.Dense(2)], (3,), "mse")
    full, last = network.plan(), network.train_last(1).plan()
    assert [op.code for op in full.learning] == [32, 65, 74, 65, 74, 65]
    assert full.learning[-1].out == NONE
    assert [op.code for op in last.learning] == [32, 65]
    assert last.learning[-1].out == NONE
    assert last.arena < full.arena
    assert last.parameters.size == 8 * 2 + 2
    assert len(last.constants) == 4 * (3 * 8 + 8 + 8 * 8 + 8)


def test_frozen_layers_pass_the_gradient_on_without_learning():
    plan = FIXED["frozen_middle"]().plan()
    flags = {plan.layers[op.layer]: op.flags for op in plan.learning if op.weights != NONE}
    assert flags == {"dense_4": 3, "dense_3": 0, "group_norm_1": 0, "dense_2": 0, "dense_1": 3}
    spaces = {plan.tensors[op.weights].space for op in plan.learning if op.weights != NONE and op.flags == 0}
    assert spaces == {2}


def test_bias_only_keeps_the_weights_in_the_image():
    plan = FIXED["biases"]().plan()
    assert [name for name, _, _ in plan.layout] == [
        "conv2d_1.bias", "group_norm_1.shift", "dense_1.bias", "dense_2.weights", "dense_2.bias",
    ]  # fmt: skip
    conv = plan.learning[-1]
    assert (conv.code, conv.flags, conv.out) == (66, 2, NONE)
    assert plan.tensors[conv.weights].space == 2
    assert plan.tensors[conv.bias].space == 1


def test_runs_are_ascending_and_each_serves_one_operation():
    plan = FIXED["channels"]().plan()
    first = 0
    for op in plan.learning:
        if op.runs[1]:
            assert op.runs[0] == first
            first += op.runs[1]
    assert first == len(plan.runs)
    conv = plan.learning[-1]
    assert plan.runs[conv.runs[0] : sum(conv.runs)] == ((1, 3),)


def test_losses_start_from_logits():
    sigmoid = FIXED["sigmoid"]().plan()
    assert [op.code for op in sigmoid.learning] == [33, 65, 74, 65]
    assert sigmoid.forward[-1].in_ != sigmoid.forward[-1].out
    assert sigmoid.learning[0].in_ == sigmoid.forward[-1].in_
    softmax = FIXED["softmax"]().plan()
    assert [op.code for op in softmax.learning] == [34, 65, 72, 65]
    assert softmax.forward[-1].in_ == softmax.forward[-1].out == softmax.learning[0].in_
    assert [op.code for op in FIXED["softmax_mse"]().plan().learning] == [32, 76, 65, 75, 65]


def test_activations_work_in_place():
    plan = nn.Network([nn.Dense(32, "tanh"), nn.Dense(32, "tanh"), nn.Dense(1)], (1,), "mse").plan()
    assert all(op.in_ == op.out for op in plan.forward if op.code == 10)
    assert all(op.in2 == op.out for op in plan.learning if op.code == 74)
    assert plan.arena == 32 + 32 + 32 + 1 + 1


def test_reshaping_costs_nothing():
    layers = [
        nn.Conv2D(4, 3, activation="relu"),
        nn.Flatten(),
        nn.Reshape((6, 2, 12)),
        nn.Flatten(),
        nn.Dense(2),
    ]
    network = nn.Network(layers, (6, 6, 1), "mse")
    assert [op.code for op in network.plan(None).forward] == [2, 7, 1]


def test_everything_frozen_still_gives_a_loss():
    plan = FIXED["all_frozen"]().plan()
    assert [op.code for op in plan.learning] == [32]
    assert plan.parameters.size == 0


def test_ram_counts_every_value_of_state_and_arena():
    plan = FIXED["standardised"]().plan("adam", accumulate=True, anchor=True)
    ram = plan.ram()
    assert sum(ram.values()) == 4 * (plan.state + plan.arena)
    assert ram["optimizer"] == 2 * ram["parameters"]
    assert ram["statistics"] == 4 * (2 * 3 + 1 + 2 * 5 + 1)


@pytest.mark.parametrize("name", FIXED)
def test_the_layout_finds_every_parameter(name):
    network = randomised(FIXED[name](), 1)
    plan = network.plan()
    assert plan.parameters.size == sum(math.prod(shape) for _, _, shape in plan.layout)
    assert plan.image_size == len(plan.image())
    np.testing.assert_array_equal(plan.parameters, network.parameters)
    for key, offset, shape in plan.layout:
        values = plan.parameters[offset : offset + math.prod(shape)].reshape(shape)
        np.testing.assert_array_equal(values, network.arrays[key])
    assert tuple(key for key, _, _ in plan.layout) == network.trainable


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"optimizer": "rmsprop"}, "unknown optimizer 'rmsprop'"),
        ({"optimizer": None, "accumulate": True}, "accumulate and anchor need an optimizer"),
        ({"optimizer": None, "anchor": True}, "accumulate and anchor need an optimizer"),
    ],
)
def test_settings_that_make_no_sense_are_refused(arguments, what):
    with pytest.raises(ConfigError, match=what):
        FIXED["mlp"]().plan(**arguments)


def test_learning_without_a_loss_is_refused_with_the_way_out():
    network = nn.Network([nn.Dense(1)], (1,))
    with pytest.raises(ConfigError, match="without loss") as caught:
        network.plan("sgd")
    assert 'loss="mse"' in caught.value.hint
    assert network.plan(None).learning == ()


def test_a_parameter_that_is_not_finite_is_refused_by_name():
    network = FIXED["mlp"]()
    network.arrays["dense_2.weights"][3, 1] = np.inf
    with pytest.raises(InputError, match=r"value inf at \(3, 1\)") as caught:
        network.plan()
    assert caught.value.where == "dense_2.weights"
