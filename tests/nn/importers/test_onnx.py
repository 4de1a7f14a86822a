"""ONNX models: the conformance cases, real architectures, what is folded, and what is refused."""

from __future__ import annotations

import doctest
import io
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from shoal import nn
from shoal.errors import ConfigError, MissingExtraError, StorageError
from shoal.nn.importers.errors import ModelError

onnx = pytest.importorskip("onnx", reason="pip install 'shoal[onnx]'")
from shoal.nn.importers.onnx import decode, load  # noqa: E402
from tests.nn.importers.onnx_models import (  # noqa: E402
    TOLERANCE,
    answer,
    case_names,
    distance,
    hwc,
    model,
    outcome,
    reference,
)

rng = np.random.default_rng(0)
ALL = case_names()
PASSED, REFUSED = 61, 266
needs_data = pytest.mark.skipif(not ALL, reason="SHOAL_DATA is not set and ../shared/data does not exist")


@needs_data
def test_every_conformance_case_passes_or_is_refused_with_the_place_and_reason(record_property):
    outcomes = {name: outcome(name) for name in ALL}
    passed = [name for name, what in outcomes.items() if what == "passed"]
    assert (len(passed), len(outcomes) - len(passed)) == (PASSED, REFUSED)
    for name, what in outcomes.items():
        record_property(name, what)
        assert re.match(r"passed|the operands are no numbers|case\b.*: .+", what)


def weights(*shape):
    return (rng.standard_normal(shape) / np.sqrt(max(np.prod(shape[1:]), 1))).astype(np.float32)


def statistics(channels):
    """Return scale, shift, mean and variance."""
    return {
        "s": 1 + 0.3 * weights(channels),
        "b": weights(channels),
        "m": weights(channels),
        "v": 0.5 + weights(channels) ** 2,
    }


def agree(content, shape, *, order=hwc, tolerance=TOLERANCE):
    """Import a model and compare three answers with the reference's; return the network."""
    network = decode(content, "model.onnx")
    for _ in range(3):
        x = rng.standard_normal(shape).astype(np.float32)
        expected = reference(content, x[np.newaxis])
        expected = expected[0] if expected.ndim > 1 else expected
        assert np.ptp(expected) > 0 or expected.size == 1
        assert distance(answer(network, order(x)), order(expected)) <= tolerance
    return network


def kinds(network):
    return [type(layer).__name__ for layer in network.layers]


BATCH_NORM = ("BatchNormalization", "c s b m v", "n", {})


def test_a_normalization_goes_into_the_convolution_before_it():
    content = model(
        [("Conv", "x w", "c", {"pads": [1] * 4}), BATCH_NORM, ("Relu", "n", "y", {})],
        [1, 3, 6, 5],
        {"w": weights(4, 3, 3, 3), **statistics(4)},
    )
    network = agree(content, (3, 6, 5))
    assert (
        repr(network.layers)
        == "(Conv2D(name='c', filters=4, kernel=(3, 3), stride=(1, 1), activation='relu'),)"
    )


def test_a_normalization_goes_into_the_convolution_after_it_unless_that_pads():
    nodes = [("Relu", "x", "c", {}), BATCH_NORM, ("Conv", "n w", "y", {})]
    constants = {"w": weights(4, 3, 2, 3), **statistics(3)}
    assert kinds(agree(model(nodes, [1, 3, 6, 5], constants), (3, 6, 5))) == ["Activation", "Conv2D"]
    nodes[2] = ("Conv", "n w", "y", {"pads": [0, 0, 1, 0]})
    network = agree(model(nodes, [1, 3, 6, 5], constants), (3, 6, 5))
    assert kinds(network) == ["Activation", "DepthwiseConv2D", "Conv2D"]
    assert network.layers[2].padding == (0, 0, 1, 0)


@pytest.mark.parametrize("depthwise", [False, True])
def test_scales_and_shifts_on_both_sides_of_weights_vanish(depthwise):
    w = weights(6, 1, 3, 3) if depthwise else weights(6, 3, 3, 3)
    constants = {
        "w": w,
        "a": weights(3, 1, 1),
        "d": weights(1, 3, 1, 1),
        "e": weights(6, 1, 1),
        "f": np.float32(0.7),
    }
    nodes = [
        ("Mul", "x a", "1", {}),
        ("Sub", "1 d", "2", {}),
        ("Conv", "2 w", "3", {"group": 3 if depthwise else 1}),
        ("Div", "3 f", "4", {}),
        ("Add", "4 e", "5", {}),
        ("Neg", "5", "y", {}),
    ]
    network = agree(model(nodes, [1, 3, 6, 5], constants), (3, 6, 5))
    assert kinds(network) == ["DepthwiseConv2D" if depthwise else "Conv2D"]


def test_a_constant_for_each_value_goes_into_the_rows_of_the_next_weights():
    nodes = [
        ("Mul", "x a", "1", {}),
        ("Flatten", "1", "2", {}),
        ("MatMul", "2 w", "3", {}),
        ("Add", "3 b", "y", {}),
    ]
    constants = {"a": weights(3, 4, 2), "w": weights(24, 5), "b": weights(5)}
    assert kinds(agree(model(nodes, [1, 3, 4, 2], constants), (3, 4, 2))) == ["Flatten", "Dense"]


def test_what_nothing_takes_over_is_a_layer_of_its_own():
    content = model([("Mul", "x a", "1", {}), ("Relu", "1", "y", {})], [1, 3, 4, 2], {"a": weights(3, 1, 1)})
    assert kinds(agree(content, (3, 4, 2))) == ["DepthwiseConv2D", "Activation"]


@pytest.mark.parametrize(
    ("attributes", "padding"),
    [
        ({"pads": [1, 0, 2, 1]}, (1, 0, 2, 1)),
        ({"pads": [1, 1, 1, 1]}, "same"),
        ({"pads": [0, 0, 0, 0]}, "valid"),
        ({"auto_pad": "VALID"}, "valid"),
        ({"auto_pad": "SAME_UPPER", "strides": [2, 2]}, "same"),
        ({"auto_pad": "SAME_LOWER", "strides": [2, 2]}, (1, 1, 0, 1)),
    ],
)
def test_padding_has_its_name_or_its_numbers(attributes, padding):
    content = model([("Conv", "x w", "y", attributes)], [1, 2, 6, 5], {"w": weights(3, 2, 3, 3)})
    assert agree(content, (2, 6, 5)).layers[0].padding == padding


def test_padding_before_a_convolution_becomes_its_own():
    nodes = [("Pad", "x p", "1", {}), ("Conv", "1 w", "y", {"pads": [1, 1, 0, 0], "strides": [2, 2]})]
    constants = {"w": weights(3, 2, 4, 4), "p": np.array([0, 0, 0, 1, 0, 0, 2, 1])}
    network = agree(model(nodes, [1, 2, 6, 5], constants), (2, 6, 5))
    assert [layer.padding for layer in network.layers] == [(1, 2, 2, 1)]


def test_padding_that_no_window_takes_over_is_a_layer():
    nodes = [("Pad", "x p", "1", {}), ("MaxPool", "1", "y", {"kernel_shape": [2, 2]})]
    content = model(nodes, [1, 2, 6, 5], {"p": np.array([0, 0, 0, 1, 0, 0, 2, 1])})
    assert kinds(agree(content, (2, 6, 5))) == ["Pad2D", "MaxPool2D"]
    wide = model([("Conv", "x w", "y", {"pads": [1, 2, 1, 2]})], [1, 2, 4, 4], {"w": weights(3, 2, 1, 2)})
    assert kinds(agree(wide, (2, 4, 4))) == ["Pad2D", "Conv2D"]


def test_flattened_channels_permute_the_rows_of_the_next_weights():
    nodes = [
        ("Conv", "x w", "1", {}),
        ("Flatten", "1", "2", {}),
        ("Gemm", "2 d b", "y", {"transB": 1, "alpha": 0.5, "beta": 2.0}),
    ]
    constants = {"w": weights(3, 2, 3, 3), "d": weights(4, 36), "b": weights(4)}
    network = agree(model(nodes, ["N", 2, 6, 5], constants), (2, 6, 5))
    assert network.input_shape == (6, 5, 2)
    assert kinds(network) == ["Conv2D", "Flatten", "Dense"]


def test_a_model_with_its_channels_last_keeps_them_there():
    nodes = [
        ("Transpose", "x", "1", {"perm": [0, 3, 1, 2]}),
        ("Conv", "1 w", "2", {}),
        ("Transpose", "2", "3", {"perm": [0, 2, 3, 1]}),
        ("Reshape", "3 r", "4", {}),
        ("MatMul", "4 d", "y", {}),
    ]
    constants = {"w": weights(3, 2, 3, 3), "r": np.array([-1, 36]), "d": weights(36, 4)}
    network = agree(model(nodes, [1, 6, 5, 2], constants), (6, 5, 2), order=lambda x: x)
    assert network.input_shape == (6, 5, 2)


def test_the_order_of_an_image_that_could_be_either_is_an_argument():
    content = model(
        [("Flatten", "x", "1", {}), ("MatMul", "1 d", "y", {})], [1, 6, 5, 2], {"d": weights(60, 4)}
    )
    assert decode(content, "m").input_shape == (5, 2, 6)
    assert decode(content, "m", channels_last=True).input_shape == (6, 5, 2)


def test_shapes_that_the_graph_computes_are_known():
    nodes = [
        ("Conv", "x w", "1", {}),
        ("Shape", "1", "2", {}),
        ("Gather", "2 zero", "3", {"axis": 0}),
        ("Unsqueeze", "3 axes", "4", {}),
        ("Concat", "4 rest", "5", {"axis": 0}),
        ("Reshape", "1 5", "6", {}),
        ("Transpose", "t", "7", {"perm": [1, 0]}),
        ("MatMul", "6 7", "y", {}),
    ]
    constants = {
        "w": weights(3, 2, 3, 3),
        "zero": np.array(0),
        "axes": np.array([0]),
        "rest": np.array([-1]),
        "t": weights(4, 36),
    }
    agree(model(nodes, ["N", 2, 6, 5], constants), (2, 6, 5))


RESIDUAL = [
    ("Conv", "x w", "1", {"pads": [1] * 4}),
    ("Conv", "1 u", "2", {"pads": [1] * 4}),
    ("Relu", "2", "3", {}),
    ("Conv", "3 u", "4", {"pads": [1] * 4}),
]


def test_a_sum_of_a_branch_and_its_start_is_a_residual():
    constants = {"w": weights(4, 2, 3, 3), "u": weights(4, 4, 3, 3)}
    network = agree(model([*RESIDUAL, ("Add", "4 1", "y", {})], [1, 2, 6, 5], constants), (2, 6, 5))
    assert kinds(network) == ["Conv2D", "Residual"]
    assert network.layers[1].shortcut == ()


def test_residuals_have_shortcuts_and_lie_in_each_other():
    constants = {
        "w": weights(4, 2, 3, 3),
        "u": weights(4, 4, 3, 3),
        "q": weights(4, 4, 1, 1),
        **statistics(4),
    }
    nodes = [
        *RESIDUAL,
        ("Add", "4 3", "c", {}),
        ("Conv", "1 q", "5", {}),
        BATCH_NORM,
        ("Add", "5 n", "6", {}),
        ("Add", "6 x", "y", {}),
    ]
    constants["w"] = weights(4, 4, 3, 3)
    network = agree(model(nodes, [1, 4, 6, 5], constants), (4, 6, 5))
    (outer,) = network.layers
    assert [type(layer).__name__ for layer in outer.layers] == ["Conv2D", "Residual"]
    assert [type(layer).__name__ for layer in outer.layers[1].layers] == [
        "Conv2D",
        "Residual",
        "DepthwiseConv2D",
    ]


def test_twice_a_value_is_no_residual():
    content = model([("Add", "x x", "1", {}), ("Tanh", "1", "y", {})], [1, 5])
    assert "Residual" not in kinds(agree(content, (5,)))


def test_groups_of_channels_as_pytorch_writes_them():
    nodes = [
        ("Conv", "x w", "1", {}),
        ("Reshape", "1 g", "2", {}),
        ("InstanceNormalization", "2 ones zeros", "3", {"epsilon": 1e-5}),
        ("Reshape", "3 s", "4", {}),
        ("Mul", "4 a", "5", {}),
        ("Add", "5 b", "y", {}),
    ]
    constants = {
        "w": weights(6, 2, 3, 3),
        "g": np.array([0, 3, -1]),
        "s": np.array([1, 6, 4, 3]),
        "ones": np.ones(3, np.float32),
        "zeros": np.zeros(3, np.float32),
        "a": weights(6, 1, 1),
        "b": weights(6, 1, 1),
    }
    network = agree(model(nodes, [1, 2, 6, 5], constants), (2, 6, 5))
    assert kinds(network) == ["Conv2D", "GroupNorm"]
    assert network.layers[1].groups == 3


@pytest.mark.parametrize(
    ("opset", "node", "constants"),
    [
        (6, ("Clip", "x", "y", {"min": 0.0, "max": 6.0}), {}),
        (13, ("Clip", "x low high", "y", {}), {"low": np.float32(0), "high": np.float32(6)}),
        (13, ("Clip", "x low", "y", {}), {"low": np.float32(0)}),
        (16, ("LeakyRelu", "x", "y", {"alpha": 0.1}), {}),
        (16, ("PRelu", "x slope", "y", {}), {"slope": np.full((3, 1, 1), 0.25, np.float32)}),
        (17, ("Sigmoid", "x", "y", {}), {}),
        (17, ("GlobalAveragePool", "x", "y", {}), {}),
        (17, ("GlobalMaxPool", "x", "y", {}), {}),
        (18, ("ReduceMean", "x axes", "y", {"keepdims": 0}), {"axes": np.array([-1, 2])}),
        (13, ("ReduceMean", "x", "y", {"axes": [2, 3]}), {}),
        (17, ("MaxPool", "x", "y", {"kernel_shape": [3, 2], "strides": [2, 2], "ceil_mode": 1}), {}),
        (
            19,
            ("AveragePool", "x", "y", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 0]}),
            {},
        ),
        (
            19,
            ("AveragePool", "x", "y", {"kernel_shape": [3, 3], "pads": [1, 0, 2, 1], "count_include_pad": 1}),
            {},
        ),
        (18, ("Resize", "x  s", "y", {"mode": "nearest"}), {"s": np.array([1, 1, 2, 3], np.float32)}),
        (21, ("GroupNormalization", "x s t", "y", {"num_groups": 1}), {"s": weights(3), "t": weights(3)}),
        (12, ("Dropout", "x r f", "1", {}), {"r": np.float32(0.5), "f": np.array(False)}),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_an_operator(opset, node, constants):
    operator, inputs, output, options = node
    made = onnx.helper.make_node(operator, inputs.split(" "), [output], **options)
    last = [] if output == "y" else [onnx.helper.make_node("Tanh", [output], ["y"])]
    content = onnx.load_from_string(model([], [1, 3, 7, 6], constants, opset=opset))
    content.graph.node.extend([made, *last])
    agree(content.SerializeToString(), (3, 7, 6))


def test_a_row_of_values_is_an_image_of_height_1():
    nodes = [
        ("Conv", "x w b", "1", {"pads": [1, 2], "strides": [2]}),
        ("MaxPool", "1", "2", {"kernel_shape": [2]}),
        ("Conv", "2 u", "y", {"group": 4}),
    ]
    constants = {"w": weights(4, 3, 5), "b": weights(4), "u": weights(8, 1, 3)}
    network = agree(model(nodes, [1, 3, 20], constants), (3, 20))
    assert network.input_shape == (1, 20, 3)


def test_a_dense_layer_over_each_row_is_a_convolution():
    content = model(
        [("MatMul", "x w", "1", {}), ("Add", "1 b", "y", {})],
        [1, 7, 5],
        {"w": weights(5, 4), "b": weights(4)},
    )
    assert kinds(agree(content, (7, 5), order=lambda x: x)) == ["Conv2D"]


def test_classes_are_learnt_with_the_loss_that_is_asked_for():
    content = model([("MatMul", "x w", "1", {}), ("Softmax", "1", "y", {})], ["N", 5], {"w": weights(5, 4)})
    assert decode(content, "m", "cross_entropy").loss == "cross_entropy"
    assert decode(content, "m").loss is None
    with pytest.raises(ConfigError, match="bce"):
        decode(content, "m", "bce")


def test_layers_are_named_for_their_weights_or_nodes():
    nodes = [
        ("Conv", "x features.0.weight", "1", {}),
        ("Flatten", "1", "2", {}),
        ("Gemm", "2 d", "y", {"name": "/head/Gemm"}),
    ]
    constants = {"features.0.weight": weights(3, 2, 3, 3), "d": weights(36, 4)}
    assert list(decode(model(nodes, [1, 2, 6, 5], constants), "m").arrays) == [
        "features_0.weights",
        "head/Gemm.weights",
    ]


IMAGE = [1, 3, 6, 6]
CONV = {"w": np.zeros((4, 3, 3, 3), np.float32)}


@pytest.mark.parametrize(
    ("nodes", "shape", "constants", "what", "where"),
    [
        ([("LSTM", "x w w", "y", {})], IMAGE, CONV, "operator 'LSTM' is not supported", "node 0 'y' (LSTM)"),
        (
            [("Relu", "x", "1", {}), ("Selu", "1", "y", {"name": "act"})],
            IMAGE,
            {},
            "'Selu' is not",
            "node 1 'act' (Selu)",
        ),
        ([("Conv", "x w", "y", {"dilations": [2, 2]})], IMAGE, CONV, "dilations = [2, 2]", "node 0"),
        ([("Conv", "x w", "y", {"group": 2})], [1, 6, 6, 6], CONV, "2 groups of 6 channels", "node 0"),
        (
            [("Conv", "x w", "y", {})],
            [1, 2, 6, 6],
            CONV,
            "weights for 3 input channels, the input has 2",
            "node 0",
        ),
        ([("Conv", "x w", "y", {"kernel_shape": [2, 2]})], IMAGE, CONV, "kernel_shape", "node 0"),
        ([("Conv", "x w", "y", {"pads": [1, 1]})], IMAGE, CONV, "pads (1, 1)", "node 0"),
        ([("Conv", "x w", "y", {"strides": [0, 1]})], IMAGE, CONV, "stride must be 1", "node 0"),
        ([("Conv", "x x", "y", {})], IMAGE, {}, "operand 1 of Conv is not a constant", "node 0"),
        ([("Relu", "z", "y", {})], IMAGE, {}, "depends on 0 inputs", "m.onnx"),
        ([("Add", "x z", "y", {})], IMAGE, {}, "nothing gives the operand 'z'", "node 0"),
        ([("Relu", "y", "1", {}), ("Relu", "x", "1", {})], IMAGE, {}, "two nodes give '1'", "m.onnx"),
        ([("Relu", "x", "y", {"alpha": 1.0})], IMAGE, {}, "has no attribute 'alpha'", "node 0"),
        ([("Softmax", "x", "y", {})], IMAGE, {}, "softmax over 6 values", "node 0"),
        (
            [("Clip", "x a b", "y", {})],
            IMAGE,
            {"a": np.float32(-1), "b": np.float32(1)},
            "Clip to -1 and 1",
            "node 0",
        ),
        ([("Mul", "x x", "y", {})], IMAGE, {}, "operand 1 of Mul is not a constant", "node 0"),
        ([("Mul", "x a", "y", {})], IMAGE, {"a": np.ones(5, np.float32)}, "does not go with", "node 0"),
        ([("Reshape", "x r", "y", {})], IMAGE, {"r": np.array([1, 5])}, "cannot reshape", "node 0"),
        (
            [("Conv", "x w", "1", {}), ("Flatten", "1", "y", {})],
            IMAGE,
            CONV,
            "the answer (1, 64) lies",
            "the output",
        ),
        (
            [("Transpose", "x", "1", {"perm": [0, 2, 1, 3]}), ("Conv", "1 w", "y", {})],
            [1, 6, 3, 6],
            CONV,
            "another order",
            "node 1",
        ),
        (
            [("MaxPool", "x", "y", {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 2})],
            IMAGE,
            {},
            "'ceil_mode' of MaxPool is not 0 or 1",
            "node 0",
        ),
        ([("Identity", "x", "y", {})], IMAGE, {}, "computes nothing", "m.onnx"),
        ([("Relu", "x", "y", {})], [1, 3, "H", 6], {}, "is open", "m.onnx"),
        ([("Relu", "x", "y", {})], [1, 3, 1 << 40, 6], {}, "more than 16,777,216 numbers", "m.onnx"),
        (
            [("Conv", "x w", "y", {})],
            IMAGE,
            {"w": np.full((4, 3, 3, 3), np.nan, np.float32)},
            "not a finite",
            "m.onnx: y.weights",
        ),
        (
            [("BatchNormalization", "x s s s s", "y", {})],
            IMAGE,
            {"s": -np.ones(3, np.float32)},
            "variance is not positive",
            "node 0",
        ),
        (
            [("Flatten", "x", "1", {"axis": 0}), ("Softmax", "1", "y", {})],
            [2, 8],
            {},
            "a batch of 2",
            "node 0",
        ),
    ],
)
def test_a_model_that_cannot_be_imported_says_what_and_where(nodes, shape, constants, what, where):
    with pytest.raises(ModelError, match=re.escape(what)) as caught:
        decode(model(nodes, shape, constants), "m.onnx")
    assert where in caught.value.where


def test_an_unsupported_operator_comes_with_those_that_are():
    with pytest.raises(ModelError) as caught:
        decode(model([("Gelu", "x", "y", {})], IMAGE, opset=20), "m.onnx")
    assert "AveragePool, BatchNormalization, Cast" in caught.value.hint


def test_sums_that_cross_are_refused():
    nodes = [
        ("Relu", "x", "1", {}),
        ("Tanh", "1", "2", {}),
        ("Sigmoid", "2", "3", {}),
        ("Add", "1 2", "4", {}),
        ("Add", "4 3", "y", {}),
    ]
    with pytest.raises(ModelError, match="used in two ways") as caught:
        decode(model(nodes, [1, 5]), "m.onnx")
    assert "node 1 '2' (Tanh)" in caught.value.what


@pytest.mark.parametrize("content", [b"", b"\x00" * 40, b"not a model at all", b"\x08\x07" * 9])
def test_bytes_that_are_no_model_are_refused(content):
    with pytest.raises(ModelError, match="not an ONNX file"):
        decode(content, "m.onnx")


@pytest.mark.parametrize("opset", [5, 99])
def test_an_operator_set_out_of_range_is_refused(opset):
    with pytest.raises(ModelError, match=f"operator set {opset}"):
        decode(model([("Relu", "x", "y", {})], [1, 5], opset=opset), "m.onnx")


def test_several_outputs_are_refused():
    nodes = [("Relu", "x", "y", {}), ("Tanh", "x", "z", {})]
    with pytest.raises(ModelError, match="2 outputs"):
        decode(model(nodes, [1, 5], outputs=("y", "z")), "m.onnx")


def external(path, **entries):
    """Write a model whose weights lie in w.bin, or where the entries say."""
    made = onnx.load_from_string(model([("MatMul", "x w", "y", {})], [1, 5], {"w": weights(5, 4)}))
    (tensor,) = made.graph.initializer
    (path.parent / "w.bin").write_bytes(b"head" + tensor.raw_data)
    whole = made.SerializeToString()
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in ({"location": "w.bin", "offset": "4"} | entries).items():
        tensor.external_data.add(key=key, value=value)
    path.write_bytes(made.SerializeToString())
    return whole


def test_constants_may_lie_in_a_file_beside_the_model(tmp_path):
    whole = external(tmp_path / "m.onnx")
    x = rng.standard_normal((1, 5)).astype(np.float32)
    assert distance(answer(load(tmp_path / "m.onnx"), x), reference(whole, x)) <= TOLERANCE
    with pytest.raises(ModelError, match="lies in a file"):
        decode((tmp_path / "m.onnx").read_bytes(), "m.onnx")


@pytest.mark.parametrize(
    ("entries", "what"),
    [
        ({"location": "../w.bin"}, "lies in a file '../w.bin'"),
        ({"location": "/etc/passwd"}, "lies in a file '/etc/passwd'"),
        ({"location": "none.bin"}, "No such file"),
        ({"offset": "8"}, "lies outside 'w.bin'"),
        ({"offset": "-4"}, "begins at '-4'"),
    ],
)
def test_constants_lie_nowhere_else(tmp_path, entries, what):
    external(tmp_path / "m.onnx", **entries)
    with pytest.raises(ModelError, match=re.escape(what)):
        load(str(tmp_path / "m.onnx"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(StorageError, match="cannot read"):
        load(tmp_path / "nothing.onnx")


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError) as caught:
        decode(b"", "m.onnx")
    assert caught.value.hint == "pip install 'shoal[onnx]'"


def exported(module, x):
    """Return the ONNX file that PyTorch makes of a module."""
    torch = pytest.importorskip("torch", reason="pip install --group reference")
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (x,), file, dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "N"}})
    return file.getvalue()


def test_models_that_pytorch_exports():
    modules = pytest.importorskip("tests.nn.importers.torch_models", reason="pip install --group reference")
    for name in modules.MODULES:
        module, x = modules.build(name)
        network = decode(exported(module, x), name)
        assert modules.distance_of(module, network, x) <= TOLERANCE, name


def test_the_page_about_importing_is_true():
    page = Path(__file__).parents[3] / "docs" / "importing.md"
    failed, examples = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert failed == 0 < examples


def test_an_imported_network_learns():
    from shoal import learn

    content = model(
        [
            ("Conv", "x w", "1", {}),
            ("Relu", "1", "2", {}),
            ("Flatten", "2", "3", {}),
            ("Gemm", "3 d", "4", {}),
            ("Softmax", "4", "y", {}),
        ],
        [1, 2, 5, 5],
        {"w": weights(3, 2, 3, 3), "d": weights(27, 2)},
    )
    learner = learn.Learner(decode(content, "m", "cross_entropy").train_last(1), optimizer=learn.SGD(0.3))
    x = rng.standard_normal((5, 5, 2)).astype(np.float32)
    losses = [learner.learn_one(x, 1) for _ in range(50)]
    assert losses[-1] < min(0.1, losses[0])
    assert isinstance(learner.network.layers[0], nn.Conv2D)
