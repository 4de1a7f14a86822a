"""TensorFlow Lite models answer as TensorFlow Lite's reference kernels do: integers bit for bit."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

from shoal import nn
from shoal.errors import ConfigError, StorageError
from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.tflite import decode, load
from shoal.runtime import Executor
from tests.nn.importers.reference import REFUSED, golden, heads, models, reference, samples
from tests.nn.importers.tflite_cases import cases
from tests.nn.importers.tflite_writer import Writer

ALL = models()
MODELS = [name for name in ALL if name not in REFUSED]
CASES = cases()
# SHOAL_SAMPLES=1000 is the full run; its figures are in docs/models.md.
COUNT = int(os.environ.get("SHOAL_SAMPLES") or 4)
# Of float32 answers, relative to the largest one of the sample; sums are taken in another order.
TOLERANCE = 3e-5
# Its weights alone are int8: LiteRT rounds the values between the layers to 8 bits too, the network does not.
HYBRID = {"kws_float": 0.15}

needs_data = pytest.mark.skipif(not ALL, reason="SHOAL_DATA is not set and ../shared/data does not exist")


def device(network):
    return Executor(network.plan(None).image())


def agree(network, answer, expected, tolerance=TOLERANCE):
    expected = expected.reshape(-1)
    assert answer.dtype == expected.dtype
    assert answer.shape == expected.shape
    if answer.dtype != np.float32 or any(isinstance(layer, nn.Dequantize) for layer in network.layers):
        assert answer.tobytes() == expected.tobytes()
    else:
        assert np.abs(answer - expected).max() <= tolerance * max(1, np.abs(expected).max())


@needs_data
@pytest.mark.parametrize("name", [name for name in MODELS if name not in HYBRID])
def test_a_real_model_answers_as_the_reference_kernels(name):
    network, answer = load(ALL[name]), reference(ALL[name].read_bytes())
    here = device(network)
    for x in samples(network, COUNT):
        agree(network, here.predict(x), answer(x))


@needs_data
@pytest.mark.parametrize("name", MODELS)
def test_a_real_model_gives_the_golden_answers(name):
    pairs = golden(name)
    if not pairs:
        pytest.skip("no golden vectors of this model")
    network = load(ALL[name])
    here = device(network)
    for x, y in pairs:
        agree(network, here.predict(x), y, HYBRID.get(name, TOLERANCE))


@needs_data
@pytest.mark.parametrize("name", REFUSED)
def test_an_operator_without_a_layer_is_named(name):
    with pytest.raises(ModelError, match=f"operator '{REFUSED[name]}' is not supported") as caught:
        load(ALL[name])
    assert f"{name}.tflite: operator " in caught.value.where
    assert f"({REFUSED[name]})" in caught.value.where
    assert "CONV_2D" in caught.value.hint


@needs_data
def test_the_working_memory_is_not_above_that_of_tensorflow_lite_micro():
    known = heads()
    assert len(known) == 22 + 16
    for name, size in known.items():
        assert 4 * load(ALL[name]).plan(None).arena <= size, name


@needs_data
def test_the_table_in_the_documentation_holds():
    text = (Path(__file__).parents[3] / "docs" / "models.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| (\w+) \| (.+?) \| .+ \| ([\d,]+|–) \| (.+) \|$", text, re.MULTILINE)
    rows = {row[0]: row for row in found}
    assert rows.keys() == ALL.keys()
    known = heads()
    for name in MODELS:
        plan = load(ALL[name]).plan(None)
        head = f"{known[name]:,}" if name in known else "refused"
        assert rows[name][1:] == (f"{plan.input_type} → {plan.output_type}", f"{4 * plan.arena:,}", head)


@pytest.mark.parametrize("name", CASES)
def test_an_operator_answers_as_the_reference_kernel(name):
    network, answer = decode(CASES[name], name), reference(CASES[name])
    here = device(network)
    for x in samples(network, 1000 if network.plan(None).stream else 20):
        agree(network, here.predict(x), answer(x))


def test_layers_are_named_for_their_operators():
    network = decode(CASES["block_relu-int8"], "block")
    names = [step.name for step in network.trace.steps]
    assert names == ["conv2d_0", "conv2d_1", "conv2d_2", "residual_3", "conv2d_4", "residual_5"]
    assert network.layers[0].activation == "relu"
    assert network.trainable == ()
    assert network.input_quantization == nn.Quantization("int8", float(np.float32(0.05)), -3)


def test_a_float_model_learns():
    network = decode(CASES["softmax-float32"], "softmax", "cross_entropy")
    assert network.loss == "cross_entropy"
    network = decode(CASES["dense-float32"], "dense", "mse")
    assert network.trainable == ("dense_0.weights", "dense_0.bias")
    Executor(network.plan("sgd").image()).learn(np.ones((3, 4, 2)), np.zeros(5))


def test_a_loss_that_does_not_fit_is_the_callers_error():
    with pytest.raises(ConfigError, match="cross_entropy"):
        decode(CASES["conv-float32"], "conv", "cross_entropy")


def test_the_end_of_an_integer_model_learns_in_float():
    network = decode(CASES["dense-int8"], "dense")
    learning = network.train_last(1)
    assert learning.trainable == ("dense_0.weights", "dense_0.bias")
    q, x = network.output_quantization, samples(network, 1)[0]
    codes = device(network).predict(x)
    exact = q.scale * (codes.astype(np.float32) - q.zero_point)
    inside = (codes > -128) & (codes < 127)
    assert inside.any()
    assert np.abs(device(learning).predict(x) - exact)[inside].max() <= 0.5001 * q.scale


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize(
    ("name", "shape", "by", "result"),
    [
        ("FULLY_CONNECTED", (4, 18), (1, 1), (1, 4)),
        ("CONV_2D", (4, 1, 2, 3), (4, 1, 1, 1), (1, 2, 2, 4)),
        ("DEPTHWISE_CONV_2D", (1, 1, 2, 6), (1, 1, 1, 6), (1, 2, 2, 6)),
    ],
)
def test_integer_weights_of_a_float_model_become_real(name, shape, by, result, dtype):
    rng = np.random.default_rng(0)
    codes, zero = rng.integers(0, 100, shape).astype(dtype), 7 if dtype == "uint8" else 0
    scales = rng.uniform(0.1, 1, by).astype(np.float32)
    window = {} if name == "FULLY_CONNECTED" else {"Padding": 1, "StrideH": 1, "StrideW": 1}
    networks = []
    for weights in ((codes, scales.ravel(), [zero]), ((codes.astype(np.float32) - zero) * scales,)):
        writer = Writer()
        x, y = writer.value((1, 2, 3, 3)), writer.value(result)
        writer.add(name, [x, writer.constant(*weights)], [y], **window)
        networks.append(decode(writer.bytes([x], [y]), name))
    assert networks[0].plan(None).image() == networks[1].plan(None).image()


def test_a_network_comes_back_from_its_own_file(tmp_path):
    network = decode(CASES["block_relu-uint8"], "block")
    network.save(tmp_path / "net.shoal")
    assert nn.load(tmp_path / "net.shoal").plan(None).image() == network.plan(None).image()


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(StorageError, match="cannot read"):
        load(tmp_path / "none.tflite")
