"""Networks as ONNX models answer as before and come back with the same bits; saved files open elsewhere."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from hypothesis import given, settings

from shoal import nn
from shoal.errors import ConfigError, MissingExtraError
from tests.nn.architectures import FIXED, networks, randomised

onnx = pytest.importorskip("onnx", reason="pip install 'shoal[onnx]'")
from shoal.nn.exporters import to_onnx  # noqa: E402
from shoal.nn.importers.onnx import decode  # noqa: E402
from tests.nn.importers.onnx_models import answer, distance, reference  # noqa: E402

TOLERANCE = 1e-5
MORE = {
    "padded": lambda: nn.Network(
        [
            nn.Conv2D(3, (4, 3), 2, (2, 0, 1, 1)),
            nn.AveragePool2D(3, 2, (1, 2, 0, 0)),
            nn.MaxPool2D(2, 1, (0, 1, 1, 0)),
        ],
        (9, 8, 2),
    ),
    "moved": lambda: nn.Network(
        [
            nn.Pad2D((1, 2, 0, 1), (0, 2)),
            nn.Conv2D(3),
            nn.ResizeNearest((7, 11)),
            nn.Tanh(),
            nn.ResizeNearest((3, 5), align_corners=True),
        ],
        (4, 5, 2),
    ),
    "centred": lambda: nn.Network(
        [nn.DepthwiseConv2D(3), nn.ResizeNearest((9, 4), half_pixel_centers=True), nn.GroupNorm(2)], (6, 7, 4)
    ),
    "activated_sum": lambda: nn.Network(
        [nn.Residual(nn.Conv2D(2), nn.Conv2D(2), activation="relu6"), nn.GlobalAveragePool2D()], (4, 5, 2)
    ),
    "names_that_are_taken": lambda: nn.Network(
        [nn.Dense(4, "relu6", name="sample"), nn.Dense(3, name="answer"), nn.LeakyReLU(0.3, name="answer_")],
        (3,),
    ),
}
EXPORTED = {name: make for name, make in (FIXED | MORE).items() if name != "standardised"}


def answers(network, xs):
    """Return the answers of the classes in use."""
    return np.stack([answer(network, x).reshape(network.output_shape)[..., : network.active] for x in xs])


def samples(network, count=3):
    return np.random.default_rng(2).standard_normal((count, *network.input_shape)).astype(np.float32)


@pytest.mark.parametrize("name", EXPORTED)
def test_an_exported_network_is_valid_and_answers_as_before(name):
    network = randomised(EXPORTED[name](), 3)
    content = to_onnx(network)
    onnx.checker.check_model(content, full_check=True)
    xs = samples(network)
    expected = answers(network, xs)
    got = reference(content, xs)
    assert got.shape == expected.shape
    assert distance(got, expected) <= TOLERANCE


@pytest.mark.parametrize("name", EXPORTED)
def test_an_exported_network_answers_the_same_in_onnx_runtime(name):
    runtime = pytest.importorskip("onnxruntime", reason="pip install onnxruntime")
    runtime.set_default_logger_severity(4)
    network = randomised(EXPORTED[name](), 3)
    xs = samples(network)
    session = runtime.InferenceSession(to_onnx(network), providers=["CPUExecutionProvider"])
    assert distance(session.run(None, {"sample": xs})[0], answers(network, xs)) <= TOLERANCE


@pytest.mark.parametrize("name", EXPORTED)
def test_an_exported_network_comes_back_with_the_same_bits(name):
    network = randomised(EXPORTED[name](), 3)
    # Where only a flat value tells the order of the channels, the importer is told.
    again = decode(to_onnx(network), name, channels_last=len(network.input_shape) == 3)
    xs = samples(network)
    assert answers(again, xs).tobytes() == answers(network, xs).tobytes()
    assert again.input_shape == network.input_shape


@settings(max_examples=30, deadline=None)
@given(networks())
def test_any_network_comes_back(network):
    if any(isinstance(step.layer, nn.Standardize) for step in network.trace.steps):
        with pytest.raises(ConfigError, match="Standardize"):
            to_onnx(network)
        return
    content = to_onnx(network)
    xs = samples(network, 1)
    expected = answers(network, xs)
    assert distance(reference(content, xs), expected) <= 10 * TOLERANCE
    again = decode(content, "net.onnx", channels_last=len(network.input_shape) == 3)
    assert answers(again, xs).tobytes() == expected.tobytes()


def test_nodes_and_parameters_are_named_for_layers():
    network = nn.Network(
        [nn.Conv2D(4, activation="relu", name="eye"), nn.Flatten(), nn.Dense(2, name="head")], (5, 4, 3)
    )
    graph = onnx.load_from_string(to_onnx(network)).graph
    assert [node.name for node in graph.node][1:] == [
        "eye",
        "eye/relu",
        "eye/relu/channels_last",
        "flatten_1",
        "head",
    ]
    assert {tensor.name for tensor in graph.initializer} == {
        "eye.weights",
        "eye.bias",
        "head.weights",
        "head.bias",
    }
    assert [dim.dim_param or dim.dim_value for dim in graph.input[0].type.tensor_type.shape.dim] == [
        "N",
        5,
        4,
        3,
    ]


def test_the_operator_set_is_as_old_as_the_layers_allow():
    def version(network):
        return onnx.load_from_string(to_onnx(network)).opset_import[0].version

    assert version(FIXED["conv"]()) == 17
    assert version(FIXED["normalised"]()) == 21


def test_a_layer_that_onnx_does_not_know_is_named():
    network = nn.Network([nn.Standardize(name="scaled"), nn.Dense(2)], (3,))
    with pytest.raises(ConfigError, match="Standardize cannot be exported") as caught:
        to_onnx(network)
    assert caught.value.where == "layer 'scaled'"
    assert "Conv2D, Dense" in caught.value.hint


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError) as caught:
        to_onnx(FIXED["mlp"]())
    assert caught.value.hint == "pip install 'shoal[onnx]'"


@pytest.mark.parametrize("name", ["mlp", "residual"])
def test_a_safetensors_reader_opens_a_saved_network(tmp_path, name):
    safetensors = pytest.importorskip("safetensors", reason="pip install safetensors")
    network = randomised(FIXED[name](), 5)
    network.save(tmp_path / "net.shoal")
    with safetensors.safe_open(tmp_path / "net.shoal", framework="numpy") as file:
        assert set(file.keys()) == set(network.arrays)
        for key in network.arrays:
            assert file.get_tensor(key).tobytes() == network.arrays[key].tobytes()
        assert json.loads(file.metadata()["shoal"])["input_shape"] == list(network.input_shape)
