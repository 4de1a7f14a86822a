"""Operators on integers answer as TensorFlow Lite's reference kernels do, byte for byte, in every lane."""

from __future__ import annotations

import os

import numpy as np
import pytest

from shoal import nn
from shoal.nn.importers.tflite import decode
from shoal.nn.quantization import dequantize, quantize
from shoal.runtime import Executor, answer
from tests.nn.importers.reference import reference, samples
from tests.quantized import models

COUNT = int(os.environ.get("SHOAL_SAMPLES") or 25)  # models of each operator
TYPES = ("int8", "uint8")


def inputs(network, seed):
    """Return samples over the whole range, and the extremes."""
    q, shape = network.input_quantization, network.input_shape
    xs = list(samples(network, 6, seed))
    if q is None:
        return xs + [np.float32(scale) * x for scale in (0.01, 10, 1e4) for x in xs]
    limits = np.iinfo(q.dtype)
    ends = np.array([limits.min, limits.max], q.dtype)
    xs += [np.full(shape, value, q.dtype) for value in (limits.min, limits.max, q.zero_point)]
    return [*xs, np.random.default_rng(seed).choice(ends, shape)]


def answers(make, dtype, seed):
    """Return what the runtime and what the reference kernels answer to one random model."""
    content = make(np.random.default_rng([seed, TYPES.index(dtype)]), dtype)
    network = decode(content, make.__name__)
    device, expected = Executor(network.plan(None).image()), reference(content)
    xs = inputs(network, seed)
    return np.array([device.predict(x) for x in xs]), np.array([expected(x) for x in xs])


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("make", models.MODELS, ids=lambda make: make.__name__)
def test_an_operator_answers_as_the_reference_kernel(make, dtype):
    """The reference's table of tanh is the machine's tanhf, which is not always the nearest float32."""
    different = total = 0
    for seed in range(COUNT):
        given, expected = answers(make, dtype, seed)
        assert given.dtype == expected.dtype
        if make is models.tanh:
            steps = np.abs(given.astype(int) - expected)
            different, total = different + np.count_nonzero(steps), total + steps.size
            assert steps.max() <= 1
        else:
            assert given.tobytes() == expected.tobytes(), f"model {seed}"
    assert different <= 1e-4 * total


@pytest.mark.parametrize("make", models.MODELS, ids=lambda make: make.__name__)
def test_an_operator_answers_as_on_microcontrollers(make):
    """TensorFlow Lite Micro rounds Dense twice, LiteRT once; its RELU6 does not rescale."""
    micro = pytest.importorskip(
        "tflite_micro.python.tflite_micro.runtime", reason="pip install --pre tflite_micro"
    )
    different = total = 0
    for seed in range(COUNT):
        content = make(np.random.default_rng([seed, 0]), "int8")
        network = decode(content, make.__name__)
        try:
            interpreter = micro.Interpreter.from_bytes(content)
        except RuntimeError:  # it has no half pixel centers
            assert make is models.resize_nearest_neighbor
            continue
        device, shape = Executor(network.plan(None).image()), interpreter.get_input_details(0)["shape"]
        for x in samples(network, 4, seed):
            interpreter.set_input(np.reshape(x, shape), 0)
            interpreter.invoke()
            expected = np.ravel(interpreter.get_output(0))
            steps = np.abs(device.predict(x).astype(np.float64) - expected)
            different, total = different + np.count_nonzero(steps), total + steps.size
            assert make is models.relu6 or steps.max() <= (make is models.fully_connected)
    assert total > 0
    assert make is models.relu6 or different <= 0.005 * total * (make is models.fully_connected)


def every_operation(dtype):
    """Return a network from float32 to float32 through every operation on integers."""
    rng = np.random.default_rng(3)
    least, _ = models.limits(dtype)

    def q(scale, zero):
        return nn.Quantization(dtype, scale, zero + least + 128)

    probability, wz = q(1 / 256, -128), {"weights_zero_point": 0 if dtype == "int8" else 120}
    layers = [
        nn.Quantize(q(0.03, -3)),
        nn.Pad2D((1, 0, 2, 1), channels=(0, 2)),
        nn.Conv2D(6, 3, stride=2, padding="same", quantized=q(0.06, 4), trainable=False, **wz),
        nn.DepthwiseConv2D(3, padding="same", quantized=q(0.08, 1), trainable=False, **wz),
        nn.Residual(nn.MaxPool2D(1), quantized=q(0.1, -8)),
        nn.DepthwiseConv2D(2, multiplier=5, activation="relu", quantized=q(0.1, -90), trainable=False, **wz),
        nn.ResizeNearest((9, 7), half_pixel_centers=True),
        nn.MaxPool2D(2, stride=1),
        nn.Activation("leaky_relu", slope=0.3, quantized=q(0.1, -60)),
        nn.AveragePool2D(2),
        nn.GlobalAveragePool2D(quantized=q(0.05, -30)),
        nn.Dense(37, quantized=q(0.1, 7), trainable=False, **wz),
        nn.Activation("sigmoid", quantized=probability),
        nn.Activation("softmax", quantized=probability),
        nn.Dequantize(),
    ]
    network = nn.Network(layers, input_shape=(8, 7, 3))
    least, largest = models.limits(dtype)
    arrays = {}
    for name in network.arrays:
        shape = network.arrays[name].shape
        if name.endswith("weights"):
            arrays[name] = rng.integers(least, largest + 1, shape).astype(dtype)
        elif name.endswith("bias"):
            arrays[name] = rng.integers(-3000, 3000, shape).astype(np.int32)
        else:
            arrays[name] = rng.uniform(0.001, 0.004, shape).astype(np.float32)
    return nn.Network.from_arrays(layers, network.input_shape, None, 0, arrays)


@pytest.mark.parametrize("dtype", TYPES)
def test_each_lane_holds_what_one_device_computes(dtype):
    image = every_operation(dtype).plan(None).image()
    device, x = Executor(image), np.random.default_rng(0).normal(0, 1, (21, 168)).astype(np.float32)
    alone = np.array([device.predict(sample) for sample in x])
    assert len(np.unique(alone)) > 3  # it does depend on the input
    rows = np.arange(21, dtype=np.uint32)[:, None]
    start = np.zeros((21, 0), np.float32)
    for width in (1, 8, 16):
        given, _ = answer(image, x=x, row=rows, start=start, width=width)
        assert given.tobytes() == alone.tobytes(), width


@pytest.mark.parametrize("dtype", TYPES)
def test_quantize_saturates_whatever_the_size_of_a_value(dtype):
    network = nn.Network([nn.Quantize(nn.Quantization(dtype, 0.001, 5))], input_shape=(6,))
    x = np.array([3e38, -3e38, 1e9, -1e9, 0.0, -0.0], np.float32)
    least, largest = models.limits(dtype)
    given = Executor(network.plan(None).image()).predict(x)
    assert given.tolist() == [largest, least, largest, least, 5, 5]


@pytest.mark.parametrize("dtype", TYPES)
def test_quantize_and_dequantize_in_numpy_are_those_of_the_runtime(dtype):
    rng = np.random.default_rng(1)
    for _ in range(COUNT):
        q = nn.Quantization(dtype, models.random_scale(rng, 0.1, 4), models.zero_point(rng, dtype))
        halves = (np.arange(-300, 300) + np.float32(0.5)) * np.float32(q.scale)
        x = np.concatenate([np.nextafter(halves, np.float32(0)), halves, rng.normal(0, 50 * q.scale, 400)])
        x = x.astype(np.float32)
        to = Executor(nn.Network([nn.Quantize(q)], input_shape=x.shape).plan(None).image())
        given = to.predict(x)
        assert given.tobytes() == quantize(x, q).tobytes()
        back = nn.Network([nn.Dequantize()], input_shape=x.shape, input_quantization=q)
        values = Executor(back.plan(None).image()).predict(given)
        assert values.tobytes() == dequantize(given, q).tobytes()
