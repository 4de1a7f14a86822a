"""A TensorFlow Lite file that cannot become a network is refused by what is wrong and where."""

from __future__ import annotations

import random
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.tflite import decode
from tests.nn.importers import fuzz_tflite
from tests.nn.importers.tflite_cases import cases
from tests.nn.importers.tflite_writer import Writer


def model(name, values, constants=(), dtype="FLOAT32", scale=0.1, more=None, **options):
    """Return a model of one operator from values of these shapes to the last one."""
    writer = Writer()
    arguments = {} if dtype == "FLOAT32" else {"scale": scale, "zero": 0}
    numbers = [writer.value(shape, dtype=dtype, **arguments, **(more or {})) for shape in values]
    inputs = [*numbers[:-1], *(writer.constant(data, *quantized) for data, *quantized in constants)]
    writer.add(name, inputs, numbers[-1:], **options)
    return writer.bytes(numbers[:1], numbers[-1:])


def chain(*links, count=None):
    """Return a model of (operator, inputs, output) between values of one shape; value 0 comes in."""
    writer = Writer()
    for _ in range(count or 1 + max(link[2] for link in links)):
        writer.value((1, 3))
    for name, inputs, output in links:
        writer.add(name, inputs, [output])
    return writer.bytes([0], [links[-1][2]])


IMAGE, WINDOW = (1, 4, 4, 2), {"Padding": 0, "StrideH": 1, "StrideW": 1}
KERNEL = np.ones((2, 3, 3, 2), np.float32)
BYTES = KERNEL.astype(np.int8)
BIAS = np.zeros(2, np.int32)
POOL = {**WINDOW, "FilterHeight": 2, "FilterWidth": 2}

REFUSALS = {
    "a dilated convolution": model(
        "CONV_2D", [IMAGE, IMAGE], [(KERNEL,)], **WINDOW, DilationHFactor=2, DilationWFactor=1
    ),
    "without the option Padding": model("CONV_2D", [IMAGE, IMAGE], [(KERNEL,)]),
    "padding number 2": model("CONV_2D", [IMAGE, IMAGE], [(KERNEL,)], **WINDOW | {"Padding": 2}),
    "fused activation number 4": model(
        "CONV_2D", [IMAGE, IMAGE], [(KERNEL,)], **WINDOW, FusedActivationFunction=4
    ),
    "stride must be 1 to 255": model("MAX_POOL_2D", [IMAGE, IMAGE], **POOL | {"StrideH": 0}),
    r"weights \(2, 3, 3, 1\) for an input": model("CONV_2D", [IMAGE, IMAGE], [(KERNEL[..., :1],)], **WINDOW),
    r"takes \(1, height, width, channels\), got \(2,": model(
        "CONV_2D", [(2, 4, 4, 2), (2, 4, 4, 2)], [(KERNEL,)], **WINDOW
    ),
    r"gives \(4, 4, 2\)  instead of \(4, 2, 2\)": model(
        "CONV_2D", [IMAGE, (1, 4, 2, 2)], [(KERNEL,)], **WINDOW
    ),
    "value nan at": model("CONV_2D", [IMAGE, IMAGE], [(KERNEL * np.nan,)], **WINDOW),
    "weights of type INT8 instead of UINT8": model(
        "CONV_2D", [IMAGE, IMAGE], [(BYTES, [0.1], [0]), (BIAS,)], "UINT8", **WINDOW
    ),
    "a bias of FLOAT32": model(
        "CONV_2D", [IMAGE, IMAGE], [(BYTES, [0.1], [0]), (BIAS.astype("f4"),)], "INT8", **WINDOW
    ),
    "weights with 3 scales for 2 channels": model(
        "CONV_2D", [IMAGE, IMAGE], [(BYTES, [0.1] * 3, [0] * 3), (BIAS,)], "INT8", **WINDOW
    ),
    "weights with different zero points": model(
        "CONV_2D", [IMAGE, IMAGE], [(BYTES, [0.1] * 2, [0, 1]), (BIAS,)], "INT8", **WINDOW
    ),
    "weights_zero_point 5": model(
        "CONV_2D", [IMAGE, IMAGE], [(BYTES, [0.1], [5]), (BIAS,)], "INT8", **WINDOW
    ),
    "an output scale of": model("CONV_2D", [IMAGE, IMAGE], [(BYTES, [1e30], [0]), (BIAS,)], "INT8", **WINDOW),
    "a scale of 0": model("RELU", [(1, 3), (1, 3)], dtype="INT8", scale=0.0),
    "with 0 scales instead of one": model("RELU", [(1, 3), (1, 3)], dtype="INT8", scale=None),
    "values of type INT16": model("RELU", [(1, 3), (1, 3)], dtype="INT16"),
    r"weights \(2, 3\) for an input \(4, 3\)": model(
        "FULLY_CONNECTED", [(4, 3), (4, 2)], [(np.ones((2, 3), "f4"),)]
    ),
    "weights in shuffled order": model(
        "FULLY_CONNECTED", [(1, 3), (1, 2)], [(np.ones((2, 3), "f4"),)], WeightsFormat=1
    ),
    r"over \(2, 3\)": model("SOFTMAX", [(2, 3), (2, 3)], Beta=1.0),
    "beta 2": model("SOFTMAX", [(1, 3), (1, 3)], Beta=2.0),
    "an output of Quantization": model("SOFTMAX", [(1, 3), (1, 3)], dtype="INT8", Beta=1.0),
    r"over the axes \[3\]": model("MEAN", [IMAGE, (1, 2)], [(np.array([3], "i4"),)]),
    r"over the axes \[1, 6\]": model("MEAN", [IMAGE, (1, 2)], [(np.array([1, 6], "i4"),)]),
    "adds to the batch": model("PAD", [IMAGE, IMAGE], [(np.array([[1, 0], [0, 0], [0, 0], [0, 0]], "i4"),)]),
    r"not integers of \(4, 2\)": model("PAD", [IMAGE, IMAGE], [(np.zeros((4, 2), "f4"),)]),
    "input 1 is not a constant": model("PAD", [IMAGE, IMAGE]),
    r"\(1, 4, 4, 2\) to \(1, 33\)": model("RESHAPE", [IMAGE, (1, 33)]),
    "slope must be": model("LEAKY_RELU", [(1, 3), (1, 3)], Alpha=1.5),
    "is sparse": model("RELU", [(1, 3), (1, 3)], more={"sparse": True}),
    "a constant or a variable": model("RELU", [(1, 3), (1, 3)], more={"IsVariable": True}),
    "a model whose shapes are all known": model("RELU", [(1, -1), (1, -1)]),
    "FLOAT32 from FLOAT32": model("QUANTIZE", [(1, 3), (1, 3)]),
    "operator 'CUSTOM wake' is not supported": model("CUSTOM wake", [(1, 3), (1, 3)]),
    "operator 'STABLEHLO_ADD' is not supported": model("STABLEHLO_ADD", [(1, 3), (1, 3)]),
    "adds a value to itself": chain(("ADD", [0, 0], 1)),
    "do not meet in one sum": chain(
        ("RELU", [0], 1), ("RELU", [1], 2), ("ADD", [2, 0], 3), ("ADD", [3, 1], 4)
    ),
    "more than 12 deep": chain(
        *(("RELU", [i], i + 1) for i in range(14)), *(("ADD", [14 + i, 13 - i], 15 + i) for i in range(14))
    ),
    "nothing uses its output": chain(("TANH", [0], 2), ("RELU", [0], 1)),
    "before it is computed": chain(("RELU", [1], 2), ("RELU", [0], 1)),
    "computes one twice": chain(("RELU", [0], 1), ("RELU6", [0], 1)),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_model_is_refused_where_no_layer_computes_it(what):
    with pytest.raises(ModelError, match=what) as caught:
        decode(REFUSALS[what], "m.tflite")
    assert caught.value.where.startswith("m.tflite")


def single(writer=None):
    """Return a writer of one operator between two values."""
    writer = writer or Writer()
    x, y = writer.value((1, 3)), writer.value((1, 3))
    writer.add("RELU", [x], [y])
    return writer


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "not a TensorFlow Lite file"),
        (b"PK\3\4" * 9, "not a TensorFlow Lite file"),
        (single().bytes([0], [1])[:-20], "damaged"),
        (single().bytes([0], [1], version=4), "version 4 of the schema"),
        (single().bytes([0], [1], subgraphs=2), "2 subgraphs, only one"),
        (single().bytes([0, 0], [1]), "2 inputs, only one"),
        (single().bytes([0], []), "0 outputs, only one"),
        (single().bytes([0], [7]), "there is no tensor 7"),
        (Writer().bytes([0], [0]), "there is no tensor 0"),
        (single(single()).bytes([0], [3]), "before it is computed"),
    ],
)
def test_a_file_is_refused_as_a_whole(content, what):
    with pytest.raises(ModelError, match=what) as caught:
        decode(content, "m.tflite")
    assert caught.value.where.startswith("m.tflite")


def test_no_operator_computes_the_output():
    writer = single()
    other = writer.value((1, 3))
    with pytest.raises(ModelError, match="no operator computes the output"):
        decode(writer.bytes([0], [other]), "m")
    empty = Writer()
    empty.value((1, 3))
    with pytest.raises(ModelError, match="the network computes nothing"):
        decode(empty.bytes([0], [0]), "m")


def test_operators_are_counted_before_they_are_read():
    with pytest.raises(ModelError, match="1,025 operators, at most 1,024"):
        decode(chain(*(("RELU", [i], i + 1) for i in range(1025))), "m")


def test_a_small_file_cannot_claim_much_memory():
    writer = Writer()
    weights = writer.constant(np.ones((200, 200), np.float32))
    for _ in range(201):
        writer.value((1, 200))
    for i in range(200):
        writer.add("FULLY_CONNECTED", [1 + i, weights], [2 + i])
    tracemalloc.start()
    with pytest.raises(ModelError, match="share more constants"):
        decode(writer.bytes([1], [201]), "m")
    assert tracemalloc.get_traced_memory()[1] < 4_000_000
    tracemalloc.stop()


def test_a_code_below_127_in_the_new_field_alone_counts():
    network = decode(single().bytes([0], [1], both=False), "m")
    assert network.layers[0].kind == "activation"


def test_both_values_of_a_sum_have_its_shape():
    writer = single()
    small, y = writer.value((1, 1)), writer.value((1, 3))
    writer.add("RELU", [1], [small])
    writer.add("ADD", [small, 0], [y])
    with pytest.raises(ModelError, match=r"\(1, 1\) and \(1, 3\) make \(1, 3\)"):
        decode(writer.bytes([0], [y]), "m")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_refused(content):
    with pytest.raises(ModelError):
        decode(content[:4] + b"TFL3" + content[4:], "m")


def test_mutated_files_are_refused_or_run():
    rng = random.Random(0)
    seeds = [(content, fuzz_tflite.positions(content)) for content in cases().values()]
    results = {fuzz_tflite.attempt(fuzz_tflite.mutated(rng, seeds)) for _ in range(2000)}
    assert {"refused", "imported and run"} <= results
