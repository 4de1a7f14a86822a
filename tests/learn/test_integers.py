"""Quantization of a trained network, and learning on integers."""

import numpy as np
import pytest

from shoal import learn, nn
from shoal.errors import ConfigError, InputError


def float_network(seed=0):
    layers = [
        nn.Conv2D(6, 3, activation="relu"),
        nn.Residual(nn.DepthwiseConv2D(3, activation="relu"), nn.Conv2D(6, 1), activation="relu"),
        nn.MaxPool2D(2),
        nn.Conv2D(8, 3, stride=2, activation="relu6"),
        nn.AveragePool2D(2, stride=1, padding="same"),
        nn.Flatten(),
        nn.Dense(4, "softmax"),
    ]
    network = nn.Network(layers, (8, 8, 2), loss="cross_entropy", seed=seed)
    rng = np.random.default_rng(seed)
    for name in network.arrays:
        if name.endswith("bias"):
            network.arrays[name] = rng.normal(0, 0.1, network.arrays[name].shape)
    return network


def samples(n, seed=1):
    return np.random.default_rng(seed).normal(0, 1, (n, 8, 8, 2)).astype(np.float32)


def task(n=240, seed=3):
    """Four classes: which quarter of the image is bright."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, n)
    x = rng.normal(0, 0.5, (n, 8, 8, 2)).astype(np.float32)
    for sample, label in zip(x, y, strict=True):
        sample[4 * (label // 2) :][:4, 4 * (label % 2) :][:, :4] += 1.0
    return x, y


def accuracy(network, x, y):
    return (learn.Learner(network).predict_many(x).argmax(1) == y).mean()


def test_a_quantized_network_answers_like_the_float_one():
    network, x = float_network(), samples(100)
    quantized = learn.quantize(network, x)
    assert quantized.plan(None).input_type == quantized.plan(None).output_type == "int8"
    apart = learn.Learner(quantized).predict_many(x) - learn.Learner(network).predict_many(x)
    assert np.abs(apart).mean() < 0.02
    assert quantized.plan(None).image_size < 0.6 * network.plan(None).image_size
    assert 4 * quantized.plan(None).arena <= network.plan(None).arena + 16


def test_real_values_and_integers_are_the_same_sample():
    network, x = float_network(), samples(20)
    learner = learn.Learner(learn.quantize(network, x))
    q = learner.network.input_quantization
    codes = np.clip(np.round(x[0] / q.scale) + q.zero_point, -128, 127).astype(np.int8)
    assert np.array_equal(learner.predict_one(x[0]), learner.predict_one(codes))
    with pytest.raises(InputError, match="shape"):
        learner.predict_one(codes[0])


def test_a_quantized_network_survives_a_file(tmp_path):
    quantized = learn.quantize(float_network(), samples(20)).train_last(1, on_integers=True)
    quantized.save(tmp_path / "net.safetensors")
    again = nn.load(tmp_path / "net.safetensors")
    assert again.layers == quantized.layers
    assert again.input_quantization == quantized.input_quantization
    assert again.plan().image() == quantized.plan().image()


def test_what_learns_in_float_stands_for_the_same_real_numbers():
    quantized = learn.quantize(float_network(), samples(50))
    part = quantized.train("conv2d_3")
    weights = (
        quantized.arrays["conv2d_3.weights"].astype(np.float64)
        * quantized.arrays["conv2d_3.scales"][:, None, None, None]
    )
    assert np.allclose(part.arrays["conv2d_3.weights"], weights.transpose(1, 2, 3, 0), rtol=1e-6)
    assert part.trainable == ("conv2d_3.weights", "conv2d_3.bias")
    x = samples(50, seed=5)
    apart = learn.Learner(part).predict_many(x) - learn.Learner(quantized).predict_many(x)
    assert 0 < np.abs(apart).mean() < 0.02
    # The backbone stays on integers: its arrays are those of before.
    assert part.arrays["conv2d_1.weights"].dtype == np.int8


@pytest.mark.parametrize("names", [("dense_1",), ("conv2d_3", "dense_1"), ()])
def test_learning_on_integers_learns_and_needs_less_memory(names):
    x, y = task()
    network = learn.quantize(float_network(), x[:100])
    on_integers = network.train(*names, on_integers=True)
    assert all(on_integers.arrays[name].dtype != np.float32 for name in on_integers.trainable)
    learner = learn.Learner(on_integers, learn.SGD(0.02))
    first = learner.score_many(x[200:], y[200:]).mean()
    for _ in range(6):
        learner.learn_many(x[:200], y[:200])
    learned = learner.learned_network()
    assert learner.score_many(x[200:], y[200:]).mean() < 0.5 * first
    assert accuracy(learned, x[200:], y[200:]) > 0.85
    assert np.array_equal(learn.Learner(learned).predict_many(x[:9]), learner.predict_many(x[:9]))
    assert learner.footprint().ram < learn.Learner(network.train(*names), learn.SGD(0.02)).footprint().ram


def test_a_state_of_integers_is_saved_exactly(tmp_path):
    x, y = task(80)
    network = learn.quantize(float_network(), x).train("conv2d_3", "dense_1", on_integers=True)
    learner = learn.Learner(network, learn.SGD(0.02))
    learner.learn_many(x[:40], y[:40])
    learner.save(tmp_path / "state.bin")
    again = learn.Learner(network, learn.SGD(0.02))
    again.load(tmp_path / "state.bin")
    assert again.checksum == learner.checksum
    learner.learn_many(x[40:], y[40:])
    again.learn_many(x[40:], y[40:])
    assert again.checksum == learner.checksum
    assert learner.checksum != learn.Learner(network).checksum


def test_one_step_on_integers_is_the_step_of_the_real_weights():
    """Against float64: the gradient of the real network, rounded to the grid by the documented chance."""
    rng = np.random.default_rng(0)
    q, p = nn.Quantization("int8", 0.05, 3), nn.Quantization("int8", 0.04, -5)
    layers = [nn.Dense(5, quantized=p), nn.Dequantize(), nn.Activation("softmax")]
    network = nn.Network(layers, (7,), "cross_entropy", input_quantization=q)
    scales = rng.uniform(0.01, 0.03, 5).astype(np.float32)
    network.arrays["dense_1.weights"] = rng.integers(-100, 100, (5, 7), dtype=np.int8)
    network.arrays["dense_1.bias"] = rng.integers(-500, 500, 5, dtype=np.int32)
    network.arrays["dense_1.scales"] = scales
    learner = learn.Learner(network, learn.SGD(0.5))
    codes, label = rng.integers(-60, 60, 7, dtype=np.int8), 2
    answer = learner.predict_one(codes).astype(np.float64)
    learner.learn_one(codes, label)
    learned = learner.learned_network().arrays

    x = 0.05 * (codes.astype(np.float64) - 3)
    before = network.arrays["dense_1.weights"].astype(np.float64)
    dy = answer - np.eye(5)[label]
    y = (before * scales[:, None]) @ x + network.arrays["dense_1.bias"] * (0.05 * scales.astype(np.float64))
    code = np.round(y / 0.04) - 5
    dy[(code <= -128) | (code >= 127)] = 0
    moved = before - 0.5 * np.outer(dy, x) / scales[:, None]
    u = np.array([chance(0, i) for i in range(35)]).reshape(5, 7)
    wanted = np.clip(np.floor(moved + u), -128, 127)
    assert (learned["dense_1.weights"] != wanted).sum() <= 1  # float32 may round one the other way
    assert (np.abs(learned["dense_1.weights"] - wanted) <= 1).all()
    assert (learned["dense_1.weights"] != before).any()
    bias = network.arrays["dense_1.bias"] - np.round(0.5 * dy / (0.05 * scales))
    assert (np.abs(learned["dense_1.bias"] - bias) <= 1).all()


def chance(step, index):
    mask = 0xFFFFFFFF
    h = (step * 0x9E3779B9 & mask) ^ index
    h = (h ^ h >> 16) * 0x85EBCA6B & mask
    h = (h ^ h >> 13) * 0xC2B2AE35 & mask
    return ((h ^ h >> 16) >> 8) / 2**24


def test_a_head_learns_behind_an_integer_backbone():
    x, y = task()
    body = learn.quantize(float_network(), x[:100])
    head = [nn.Standardize(), nn.Dense(3, "softmax", reserve=1)]
    network = body.with_head(head, "cross_entropy", after="flatten_1")
    learner = learn.Learner(network, learn.SGD(0.05))
    known = y < 3
    for _ in range(4):
        learner.learn_many(x[known], y[known])
    assert (learner.predict_many(x[known]).argmax(1) == y[known]).mean() > 0.8
    assert learner.grow() == 3
    for _ in range(4):
        learner.learn_many(x, y)
    assert (learner.predict_many(x).argmax(1) == y).mean() > 0.8
    assert np.array_equal(network.arrays["conv2d_1.weights"], body.arrays["conv2d_1.weights"])


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (lambda net: learn.Learner(net, learn.Adam()), "plain descent"),
        (lambda net: learn.Learner(net, learn.SGD(), batch=4), "plain descent"),
        (lambda net: learn.quantize(net, samples(4)), "already"),
        (lambda net: net.with_head([nn.Dense(2)], "mse", after="nothing"), "no layer 'nothing'"),
        (lambda _: nn.Network([nn.Dense(2, quantized=nn.Quantization("int8", 1.0, 0))], (4,)), "float32"),
        (lambda _: nn.Quantization("int4", 1.0, 0), "int4"),
        (lambda _: nn.Quantization("int8", 0.0, 0), "scale"),
        (lambda _: nn.Quantization("uint8", 1.0, -1), "zero_point"),
    ],
)
def test_what_integers_cannot_do_is_refused(act, what):
    network = learn.quantize(float_network(), samples(10)).train_last(1, on_integers=True)
    with pytest.raises(ConfigError, match=what):
        act(network)


def test_a_layer_without_integers_is_named():
    network = nn.Network([nn.Conv2D(4), nn.GroupNorm(2), nn.Flatten(), nn.Dense(2)], (4, 4, 2), "mse")
    with pytest.raises(ConfigError, match="GroupNorm") as caught:
        learn.quantize(network, np.zeros((3, 4, 4, 2)))
    assert "group_norm_1" in caught.value.where
