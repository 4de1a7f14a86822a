"""Layers that remember earlier samples: their mathematics, resetting, saving, what learns, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from shoal import learn, nn, runtime
from shoal.errors import ConfigError, ShoalError
from shoal.learn.footprint import footprint
from tests.devices import nets

Q = nn.Quantization("int8", 0.0078125, 0)
CELL = nn.Quantization("int16", 2.0**-12, 0)
STATE = nn.Quantization("int16", 0.004, 0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(arrays, name, samples, clip=np.inf):
    """Return all rows of all samples in float64, from rest."""
    weights, bias = (arrays[f"{name}.{part}"].astype(float) for part in ("weights", "bias"))
    hidden = cell = np.zeros(len(weights))
    for x in samples:
        rows = []
        for row in x[0].astype(float):
            gates = weights @ np.concatenate([row, hidden]) + bias
            i, f, g, o = (
                sigmoid(gates[:, 0]),
                sigmoid(gates[:, 1]),
                np.tanh(gates[:, 2]),
                sigmoid(gates[:, 3]),
            )
            cell = np.clip(f * cell + i * g, -clip, clip)
            hidden = o * np.tanh(cell)
            rows.append(hidden)
        yield np.array(rows)[None]


@pytest.mark.parametrize("clip", [0.0, 0.25])
def test_an_lstm_computes_its_equations(clip):
    network = nn.Network([nn.LSTM(7, clip=clip)], (1, 5, 3), seed=4)
    rng = np.random.default_rng(0)
    network.arrays["lstm_1.bias"] = rng.normal(size=(7, 4))
    learner, x = learn.Learner(network), rng.normal(size=(30, 1, 5, 3)).astype(np.float32)
    wanted = list(lstm(network.arrays, "lstm_1", x, clip or np.inf))
    assert np.abs(learner.predict_many(x) - wanted).max() < 2e-6


def test_what_is_remembered_is_forgotten_on_request_alone():
    network = nets.recurrent()
    x, y = nets.samples(network)
    learner = learn.Learner(network)
    first = learner.predict_many(x)
    assert (learner.predict_many(x) != first).any()
    learner.reset()
    assert (learner.predict_many(x) == first).all()
    learner.reset()
    checksum = learner.checksum
    learner.score_one(x[0], y[0])
    learner.observe_one(x[1])
    assert (learner.predict_many(x[2:]) == first[2:]).all()
    assert learner.checksum == checksum


def test_a_saved_state_holds_nothing_of_it(tmp_path):
    network = nets.recurrent()
    x, y = nets.samples(network)
    learner = learn.Learner(network)
    learner.learn_many(x, y)
    learner.save(tmp_path / "state")
    other = learn.Learner(network)
    other.load(tmp_path / "state")
    learner.reset()
    assert (learner.predict_many(x) == other.predict_many(x)).all()


def test_what_follows_learns():
    network = nets.recurrent()
    assert network.trainable == ("dense_1.weights", "dense_1.bias")
    x, y = nets.samples(network)
    learner = learn.Learner(network, learn.SGD(0.1))
    losses = []
    for _ in range(60):
        learner.reset()
        losses.append(learner.learn_many(x, y).mean())
    assert losses[-1] < 0.6 * losses[0]


def test_the_memory_is_counted():
    plan = nets.recurrent().plan()
    words = [1, 2, 30, 5, 5]  # hidden and cells, a filter's samples, hidden and cells
    assert plan.stream == sum(words)
    assert plan.ram()["stream"] == 4 * sum(words)
    assert "stream" not in nets.dense().plan().ram()
    executor = runtime.Executor(plan.image())
    assert executor.memory == footprint(plan, "host").ram


def test_a_network_comes_back_from_its_file(tmp_path):
    network = nets.recurrent()
    network.save(tmp_path / "net.shoal")
    assert nn.load(tmp_path / "net.shoal").plan().image() == network.plan().image()


def test_many_devices_at_once_are_refused():
    network = nets.recurrent()
    x, y = nets.samples(network)
    row = np.zeros((2, 3), np.uint32)
    for width in (1, 8):
        with pytest.raises(ShoalError):
            runtime.visit(
                network.plan("sgd").image(),
                x=x,
                row=row,
                targets=y[row][..., None],
                phases=[runtime.Phase(0.1, 3)],
                start=network.parameters,
                width=width,
            )


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: nn.Network([nn.LSTM(3)], (4,)), "LSTM takes rows"),
        (lambda: nn.Network([nn.LSTM(3, quantized=Q)], (1, 2, 4), input_quantization=Q), "cell is None"),
        (lambda: nn.Network([nn.LSTM(3, quantized=Q, cell=CELL)], (1, 2, 4)), "its input is float32"),
        (lambda: nn.Network([nn.LSTM(3, clip=-1.0)], (1, 2, 4)), "clip"),
        (lambda: nn.Network([nn.SVDF(3, 4, quantized=Q, state=STATE)], (4,)), "its input is float32"),
        (lambda: nn.Network([nn.SVDF(3, 0, quantized=Q, state=STATE)], (4,), input_quantization=Q), "memory"),
        (lambda: nn.Network([nn.SVDF(3, 4, quantized=Q, state=Q)], (1, 1, 4), input_quantization=Q), "flat"),
        (lambda: nn.SVDF(3, 4, quantized=STATE, state=STATE).check(), "quantized"),
        (
            lambda: nn.Network(
                [nn.Conv2D(2, 1), nn.LSTM(3), nn.Flatten(), nn.Dense(1)], (1, 2, 4), loss="mse"
            ).plan(),
            "before an LSTM",
        ),
    ],
)
def test_what_cannot_be_is_refused(make, what):
    with pytest.raises(ConfigError, match=what):
        make()
