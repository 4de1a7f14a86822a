"""The C runtime against the float64 references, at every width and in every build."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shoal import nn, runtime
from shoal.errors import ConfigError, DivergedError, ImageError, InputError, StateError
from shoal.runtime import Executor, Phase
from tests.nn.architectures import FIXED, networks, randomised, samples
from tests.oracle import Oracle, execute_image

RATE = 0.02
RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

ARCHITECTURES = {
    "mlp": lambda: nn.Network([nn.Dense(16, "tanh"), nn.Dense(16, "tanh"), nn.Dense(1)], (1,), "mse"),
    "classifier": lambda: nn.Network(
        [nn.Standardize(0.01), nn.Dense(17, "leaky_relu"), nn.Dense(5, "softmax")], (9,), "cross_entropy"
    ),
    "conv": lambda: nn.Network(
        [
            nn.Conv2D(5, 3, 2, activation="relu"),
            nn.GroupNorm(5),
            nn.Conv2D(7, 3, activation="relu6"),
            nn.MaxPool2D(2),
            nn.Flatten(),
            nn.Dense(3, "softmax"),
        ],
        (8, 8, 1),
        "cross_entropy",
    ),
    "depthwise": lambda: nn.Network(
        [
            nn.Conv2D(4, 3, 2, activation="sigmoid"),
            nn.DepthwiseConv2D(3, multiplier=2, activation="tanh"),
            nn.GlobalAveragePool2D(),
            nn.Dense(2, "sigmoid"),
        ],
        (7, 6, 2),
        "bce",
    ),
    "residual": lambda: nn.Network(
        [
            nn.Conv2D(4, 3, 2, activation="tanh"),
            nn.Residual(nn.Conv2D(4, 3, activation="relu"), nn.Conv2D(4, 3)),
            nn.AveragePool2D(2),
            nn.Flatten(),
            nn.Dense(3),
        ],
        (8, 8, 1),
        "mse",
    ).freeze("conv2d_2"),
}


def stream(network, devices, count, seed=0):
    """Rows and targets of random samples for many devices."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((500, *network.input_shape)).astype(np.float32)
    row = rng.integers(0, len(x), (devices, count), np.uint32)
    if network.loss == "cross_entropy":
        targets = rng.integers(0, network.output_shape[-1], (devices, count, 1)).astype(np.float32)
    else:
        targets = rng.random((devices, count, *network.output_shape), np.float32)
    return {"x": x, "row": row, "targets": targets}


def bits(array):
    return np.ascontiguousarray(array).view(np.uint32)


def close(actual, expected, tolerance):
    """Relative to the largest value; sums of terms of size 1 that cancel set the floor."""
    scale = max(0.1, float(np.abs(expected).max(initial=0)))
    assert np.abs(np.asarray(actual, np.float64) - expected).max(initial=0) <= tolerance * scale


def check_gradients(network, tolerance=1e-5):
    plan = network.plan(accumulate=True)
    executor, oracle = Executor(plan.image()), Oracle(network)
    for x, target in samples(network, 1, 3):
        y, loss = executor.learn(x, target)
        oracle.observe(x)
        expected = oracle.gradients(x, target)
        close(y, oracle.predict(x).ravel(), 1e-5)
        assert loss == pytest.approx(oracle.loss(x, target), rel=1e-5, abs=1e-6)
        slot = executor.state[plan.parameters.size :]
        masks = Oracle(network)
        masks.update({name: np.ones(g.shape) for name, g in expected.items()}, "sgd", {"rate": 1.0})
        for name, offset, shape in plan.layout:
            learns = masks.arrays[name] != network.arrays[name].astype(np.float64)
            actual = slot[offset : offset + np.prod(shape, dtype=int)].reshape(shape)
            close(actual, np.where(learns, expected[name], 0.0), tolerance)


@st.composite
def operators(draw):
    """One operator behind a 1 x 1 convolution, whose gradient shows that of the operator's input."""
    height, width, channels = (draw(st.integers(1, n)) for n in (9, 9, 5))
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    fits = kernel[0] <= height and kernel[1] <= width
    padding = draw(st.sampled_from(["same", "valid"] if fits else ["same"]))
    layer = draw(
        st.one_of(
            st.builds(
                nn.Conv2D,
                st.integers(1, 40),
                st.just(kernel),
                st.just(stride),
                st.just(padding),
                bias=st.booleans(),
            ),
            st.builds(
                nn.DepthwiseConv2D, st.just(kernel), st.just(stride), st.just(padding), st.integers(1, 3)
            ),
            st.builds(nn.MaxPool2D, st.just(kernel), st.just(stride), st.just(padding)),
            st.builds(nn.AveragePool2D, st.just(kernel), st.just(stride), st.just(padding)),
            st.just(nn.GlobalAveragePool2D()),
            st.sampled_from([nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(0.3), nn.Tanh(), nn.Sigmoid()]),
            st.builds(lambda n: nn.Residual(nn.Conv2D(n, 1), shortcut=[nn.Conv2D(n, 1)]), st.integers(1, 20)),
        )
    )
    network = nn.Network([nn.Conv2D(draw(st.integers(1, 20)), 1), layer], (height, width, channels), "mse")
    return randomised(network, draw(st.integers(0, 99)))


@st.composite
def dense_operators(draw):
    units, inputs = draw(st.integers(1, 140)), draw(st.integers(1, 140))
    last, loss = draw(
        st.sampled_from(
            [
                (None, "mse"),
                ("softmax", "mse"),
                ("tanh", "mse"),
                ("sigmoid", "bce"),
                ("softmax", "cross_entropy"),
            ]
        )
    )
    layers = [nn.Dense(draw(st.integers(1, 140))), nn.Dense(units, last, bias=draw(st.booleans()))]
    network = nn.Network(layers, (inputs,), loss)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    for name in network.arrays:
        shape = network.arrays[name].shape
        network.arrays[name] = rng.standard_normal(shape) / np.sqrt(shape[0])
    return network


@settings(RELAXED, max_examples=300)
@given(st.one_of(operators(), dense_operators()))
def test_gradients_of_every_operator_equal_float64(network):
    check_gradients(network)


@pytest.mark.parametrize("name", FIXED)
def test_gradients_of_every_layer_and_loss_equal_float64(name):
    check_gradients(randomised(FIXED[name](), 5))


@RELAXED
@given(networks())
def test_gradients_of_random_networks_equal_float64(network):
    # Random stacks multiply roundings; standardised or normalised features may be divided by almost nothing.
    check_gradients(network, 2e-4)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.parametrize(
    "name", ["mlp", "conv", "depthwise", "residual", "standardised", "channels", "growing"]
)
def test_optimizers_equal_float64(name, optimizer, accumulate):
    network = randomised(FIXED[name](), 7)
    phase = Phase(0.002, 1, epsilon=1e-3)
    executor, oracle = Executor(network.plan(optimizer, accumulate=accumulate).image()), Oracle(network)
    executor.set_optimizer(phase)
    given_settings = {"rate": 0.002, "epsilon": 1e-3}
    for i, (x, target) in enumerate(samples(network, 12, 3)):
        if accumulate:
            executor.learn(x, target)
            oracle.accumulate(x, target)
            if i % 3 == 2:
                executor.apply()
                oracle.apply(optimizer, **given_settings)
        else:
            executor.learn(x, target)
            oracle.step(x, target, optimizer, **given_settings)
    expected = np.concatenate([oracle.arrays[name].ravel() for name in network.trainable])
    close(executor.parameters, expected, 2e-5)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_thousand_steps_equal_float64(name):
    network = ARCHITECTURES[name]()
    executor, oracle = Executor(network.plan().image()), Oracle(network)
    executor.set_optimizer(Phase(RATE, 1))
    data = stream(network, 1, 1000)
    for row, target in zip(data["row"][0], data["targets"][0], strict=True):
        executor.learn(data["x"][row], target)
        oracle.step(data["x"][row], target, rate=RATE)
    expected = np.concatenate([oracle.arrays[name].ravel() for name in network.trainable])
    assert np.abs(executor.parameters - expected).max() < 1e-4


@RELAXED
@given(networks(), st.sampled_from(["sgd", "momentum", "adam"]))
def test_the_executor_obeys_any_image_as_the_interpreter_does(network, optimizer):
    image = network.plan(optimizer).image()
    executor, machine = Executor(image), execute_image(image, rate=0.003, epsilon=1e-3)
    executor.set_optimizer(Phase(0.003, 1, epsilon=1e-3))
    for x, target in samples(network, 2, 1):
        y, loss = executor.learn(x, target)
        expected_y, expected_loss = machine.learn(x, target)
        close(y, expected_y.ravel(), 1e-4)
        assert loss == pytest.approx(expected_loss, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_widths_and_threads_give_the_same_bits_after_ten_thousand_steps(name):
    network = ARCHITECTURES[name]()
    data = stream(network, 17, 10_000)
    visits = [
        runtime.visit(
            network.plan().image(),
            **data,
            phases=[Phase(RATE, 10_000)],
            start=network.parameters,
            width=width,
            threads=threads,
            end_count=network.plan().state,
        )
        for width, threads in [(1, 2), (8, 2), (16, 1)]
    ]
    assert not visits[0].status.any()
    assert len({v.end.tobytes() for v in visits}) == 1
    assert len({v.loss.tobytes() for v in visits}) == 1
    assert len(np.unique(bits(visits[0].end), axis=0)) == 17


CHECKSUMS = """
import json, zlib
import numpy as np
from shoal import runtime
from shoal.runtime import Phase
from tests.test_runtime import ARCHITECTURES, RATE, stream
out = {}
for name, make in ARCHITECTURES.items():
    network = make()
    for width in (1, 8, 16):
        v = runtime.visit(network.plan().image(), **stream(network, 17, 500), phases=[Phase(RATE, 500)],
                          start=network.parameters, width=width)
        out[f"{name} {width}"] = zlib.crc32(v.end.tobytes())
print(json.dumps(out))
"""


def test_every_build_gives_the_same_bits():
    usable = runtime.builds()[runtime.builds().index(runtime.isa()) :]
    found = {}
    for build in usable:
        env = {**os.environ, "SHOAL_ISA": build}
        done = subprocess.run(
            [sys.executable, "-c", CHECKSUMS],
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )
        found[build] = json.loads(done.stdout)
    assert all(checksums == found[usable[0]] for checksums in found.values())
    for name in ARCHITECTURES:
        assert len({found[usable[0]][f"{name} {width}"] for width in (1, 8, 16)}) == 1


def test_lanes_equal_the_executor_of_a_device():
    network = ARCHITECTURES["conv"]()
    data = stream(network, 3, 40)
    visits = runtime.visit(
        network.plan().image(), **data, phases=[Phase(RATE, 40)], start=network.parameters, width=16
    )
    for device in range(3):
        executor = Executor(network.plan().image())
        executor.set_optimizer(Phase(RATE, 1))
        for row, target in zip(data["row"][device], data["targets"][device], strict=True):
            executor.learn(data["x"][row], target)
        assert np.array_equal(bits(executor.parameters), bits(visits.end[device, 0]))


@pytest.mark.parametrize("width", [1, 8, 16])
def test_marks_counts_and_phases_are_visits_cut_short(width):
    network = ARCHITECTURES["mlp"]()
    data = stream(network, 11, 30)
    common = {**data, "start": network.parameters, "width": width}
    image = network.plan().image()
    marked = runtime.visit(image, **common, phases=[Phase(RATE, 30)], marks=[0, 7, 30])
    assert np.array_equal(bits(marked.end[:, 0]), bits(np.tile(network.parameters, (11, 1))))
    short = runtime.visit(image, **common, phases=[Phase(RATE, 7)], counts=np.full(11, 7, np.uint32))
    assert np.array_equal(bits(marked.end[:, 1]), bits(short.end[:, 0]))
    counts = np.array([7] * 5 + [30] * 6, np.uint32)
    mixed = runtime.visit(image, **common, phases=[Phase(RATE, 30)], counts=counts)
    assert np.array_equal(bits(mixed.end[:5, 0]), bits(marked.end[:5, 1]))
    assert np.array_equal(bits(mixed.end[5:, 0]), bits(marked.end[5:, 2]))
    frozen = runtime.visit(image, **common, phases=[Phase(RATE, 7), Phase(RATE, 23, frozen=(0, 1, 2, 3, 4))])
    assert np.array_equal(bits(frozen.end[:, 0]), bits(marked.end[:, 1]))


def test_marks_and_phases_that_cannot_be_are_refused():
    network = ARCHITECTURES["mlp"]()
    call = {"image": network.plan().image(), "start": network.parameters, **stream(network, 2, 6)}
    with pytest.raises(InputError):
        runtime.visit(**call, phases=[Phase(RATE, 6)], marks=[7])
    with pytest.raises(InputError):
        runtime.visit(**call, phases=[Phase(RATE, 6)], marks=[3], counts=np.array([6, 2], np.uint32))
    for wrong in (
        {"samples": -4},
        {"batch": 0},
        {"rate": -1.0},
        {"rate": float("nan")},
        {"frozen": (300,)},
    ):
        with pytest.raises(ConfigError):
            Phase(**{"rate": RATE, "samples": 6, **wrong})


def test_answers_refuse_a_label_that_is_no_class():
    network = ARCHITECTURES["classifier"]()
    data = stream(network, 2, 3)
    data["targets"][1, 2] = 9
    with pytest.raises(InputError, match="class"):
        runtime.answer(network.plan().image(), **data, start=network.parameters)


def test_serial_visits_move_the_parameters_after_each():
    network = ARCHITECTURES["mlp"]()
    data = stream(network, 5, 12)
    rates = np.linspace(1, 0.2, 5, dtype=np.float32)
    parameters = network.parameters
    expected = network.parameters
    serial = runtime.serial(
        network.plan().image(), **data, phases=[Phase(RATE, 12)], parameters=parameters, server_rate=rates
    )
    for device in range(5):
        one = {"x": data["x"], "row": data["row"][[device]], "targets": data["targets"][[device]]}
        visit = runtime.visit(network.plan().image(), **one, phases=[Phase(RATE, 12)], start=expected)
        expected = expected + rates[device] * (visit.end[0, 0] - expected)
        assert visit.loss[0] == serial.loss[device]
    assert np.array_equal(bits(parameters), bits(expected))


@pytest.mark.parametrize("width", [1, 8, 16])
def test_a_device_that_diverges_keeps_its_start_and_harms_no_other(width):
    network = ARCHITECTURES["mlp"]()
    data = stream(network, 20, 10)
    good = runtime.visit(
        network.plan().image(), **data, phases=[Phase(RATE, 10)], start=network.parameters, width=width
    )
    data["targets"][3] = 3e38
    bad = runtime.visit(
        network.plan().image(), **data, phases=[Phase(RATE, 10)], start=network.parameters, width=width
    )
    assert bad.status[3] < 0
    assert np.array_equal(bad.end[3, 0], network.parameters)
    others = np.arange(20) != 3
    assert not bad.status[others].any()
    assert np.array_equal(bits(bad.end[others]), bits(good.end[others]))


def test_a_label_that_is_no_class_fails_its_device_only():
    network = ARCHITECTURES["classifier"]()
    data = stream(network, 4, 5)
    data["targets"][2, 4] = 5
    visits = runtime.visit(network.plan().image(), **data, phases=[Phase(RATE, 5)], start=network.parameters)
    assert visits.status.tolist() == [0, 0, -10, 0]


def test_answers_equal_predictions_one_by_one():
    network = ARCHITECTURES["classifier"]()
    data = stream(network, 9, 6)
    y, loss = runtime.answer(network.plan().image(), **data, start=network.parameters, width=8, threads=2)
    executor = Executor(network.plan().image())
    for device in range(9):
        for i in range(6):
            one_y, one_loss = executor.score(data["x"][data["row"][device, i]], data["targets"][device, i])
            assert np.array_equal(bits(y[device, i]), bits(one_y))
            assert loss[device, i] == np.float32(one_loss)


def test_saved_states_are_exact_and_foreign_or_damaged_ones_are_refused():
    network = ARCHITECTURES["classifier"]()
    executor = Executor(network.plan("adam").image())
    pairs = list(samples(network, 20, 1))
    for x, target in pairs[:10]:
        executor.learn(x, target)
    saved = executor.save()
    copy = Executor(network.plan("adam").image())
    copy.load(saved)
    for x, target in pairs[10:]:
        executor.learn(x, target)
        copy.learn(x, target)
    assert copy.save() == executor.save()
    for i in range(0, len(saved), 7):
        damaged = bytearray(saved)
        damaged[i] ^= 0x10
        with pytest.raises(StateError):
            copy.load(bytes(damaged))
    with pytest.raises(StateError):
        copy.load(saved[:-1])
    with pytest.raises(StateError):
        Executor(network.plan("sgd").image()).load(saved)
    assert copy.save() == executor.save()


def test_a_damaged_image_is_refused_at_every_byte_and_length():
    image = ARCHITECTURES["mlp"]().plan().image()
    for i in range(len(image)):
        damaged = bytearray(image)
        damaged[i] ^= 1 << (i % 8)
        with pytest.raises((ImageError, StateError)):
            Executor(bytes(damaged))
    for length in (0, 1, 63, 64, 65, len(image) - 1):
        with pytest.raises(ImageError):
            Executor(image[:length])


def test_bad_arguments_are_refused_and_change_nothing():
    network = ARCHITECTURES["classifier"]()
    executor = Executor(network.plan().image())
    before = executor.save()
    good = np.zeros(9, np.float32)
    with pytest.raises(InputError, match="length"):
        executor.learn(good[:8], np.float32(0))
    with pytest.raises(DivergedError, match="not a number"):
        executor.learn(np.full(9, np.nan, np.float32), np.float32(0))
    for label in (-1, 5, 0.5):
        with pytest.raises(InputError, match="class"):
            executor.learn(good, np.float32(label))
    with pytest.raises(ConfigError):
        executor.set_optimizer(Phase(-1.0, 1))
    with pytest.raises(ConfigError):
        executor.apply()
    with pytest.raises(InputError, match="reserve"):
        executor.grow()
    assert executor.save() == before


def test_streams_that_do_not_fit_are_refused():
    network = ARCHITECTURES["mlp"]()
    data = stream(network, 2, 3)
    call = {"image": network.plan().image(), "phases": [Phase(RATE, 3)], "start": network.parameters}
    with pytest.raises(InputError):
        runtime.visit(**call, **{**data, "row": np.full((2, 3), 10_000, np.uint32)})
    with pytest.raises(InputError):
        runtime.visit(**call, **{**data, "targets": data["targets"][:1]})
    with pytest.raises(InputError, match="no samples"):
        runtime.visit(**call, **{**data, "row": np.zeros((0, 3), np.uint32)})
    with pytest.raises(InputError):
        runtime.visit(**call, **{**data, "x": data["x"].reshape(250, 2)})
    with pytest.raises(InputError):
        runtime.visit(**call, **{**data, "targets": np.zeros((2, 3, 2), np.float32)})
    with pytest.raises(ConfigError, match="width"):
        runtime.visit(**call, **data, width=4)
    with pytest.raises(ConfigError):
        runtime.visit(**{**call, "phases": [Phase(RATE, 3, batch=2)]}, **data)
    with pytest.raises(InputError):
        runtime.visit(**{**call, "start": np.zeros(10_000, np.float32)}, **data)
