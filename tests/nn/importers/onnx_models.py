"""Small ONNX models, the conformance cases, and what the reference answers."""

from __future__ import annotations

import os
import warnings
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.onnx import decode
from shoal.runtime import Executor

DATA = Path(os.environ.get("SHOAL_DATA") or Path(__file__).parents[4] / "shared" / "data")
CASES = DATA / "onnx_cases" / "onnx_cases.zip"
TOLERANCE = 1e-5


def model(nodes, shape, constants=(), *, opset=17, outputs=("y",)):
    """Return the bytes of a model from x to y.

    A node is (operator, inputs, output, attributes); constants have names.
    """
    made = [
        helper.make_node(op, inputs.split(), [output], **options) for op, inputs, output, options in nodes
    ]
    graph = helper.make_graph(
        made,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in dict(constants).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)]).SerializeToString()


def reference(content, x):
    """Return what ONNX's own evaluator answers."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        name = onnx.load_from_string(content).graph.input[0].name
        return ReferenceEvaluator(onnx.load_from_string(content)).run(None, {name: x})[0]


def hwc(x):
    """Return one sample of the file, (channels, ...), as the network takes it."""
    return np.moveaxis(x, 0, -1) if x.ndim in {2, 3} else x


def answer(network, sample):
    """Return what the runtime answers to one sample, in one row."""
    return Executor(network.plan(None).image()).predict(np.ascontiguousarray(sample, np.float32))


def distance(got, expected):
    """Return the largest difference, relative to the largest value that was expected."""
    assert got.size == expected.size
    scale = np.abs(expected).max(initial=0) or 1
    return float(np.abs(got.reshape(-1) - expected.reshape(-1)).max(initial=0) / scale)


class Case(NamedTuple):
    """A conformance case: operands after the first are constants, as a trained model has them."""

    content: bytes
    x: np.ndarray
    y: np.ndarray


def case_names():
    """Return the names of all cases, none where the data is not there."""
    if not CASES.exists():
        return []
    with zipfile.ZipFile(CASES) as archive:
        return sorted(name.rsplit("/", 1)[0] for name in archive.namelist() if name.endswith("model.onnx"))


def read_case(name):
    """Return a case, None where its first operand or its answer are no numbers."""
    with zipfile.ZipFile(CASES) as archive:
        parts = set(archive.namelist())
        graph = onnx.load_from_string(archive.read(f"{name}/model.onnx"))
        paths = [f"{name}/test_data_set_0/input_{i}.pb" for i in range(len(graph.graph.input))]
        operands = [TensorProto.FromString(archive.read(path)) for path in paths if path in parts]
        answers = TensorProto.FromString(archive.read(f"{name}/test_data_set_0/output_0.pb"))
    known = {tensor.name for tensor in graph.graph.initializer}
    free = [value for value in graph.graph.input if value.name not in known]
    for value, operand in zip(free[1:], operands[1:], strict=False):
        operand.name = value.name
        graph.graph.initializer.append(operand)
    arrays = [numpy_helper.to_array(tensor) for tensor in [*operands[:1], answers] if tensor.data_type]
    return Case(graph.SerializeToString(), *arrays) if len(arrays) == 2 else None


def samples_of(case, input_shape):
    """Return pairs of sample and answer: the first axis is the batch, unless there is no other."""
    x, y = case.x, case.y
    if x.ndim == 0 or (x.ndim == 1 and input_shape != (1,)):
        x, y = x[np.newaxis], y[np.newaxis]
    return zip(x, y, strict=True)


def imported(case):
    """Return the network, and whether its channels were last in the file."""
    try:
        return decode(case.content, "case", channels_last=False), False
    except ModelError as first:
        try:
            return decode(case.content, "case", channels_last=True), True
        except ModelError:
            raise first from None


def outcome(name):
    """Return "passed", or where and what the importer refuses."""
    case = read_case(name)
    if case is None:
        return "the operands are no numbers"
    try:
        network, last = imported(case)
    except ModelError as error:
        return f"{error.where}: {error.what}"
    order = (lambda x: x) if last else hwc
    for x, y in samples_of(case, network.input_shape):
        assert distance(answer(network, order(x)), order(y)) <= TOLERANCE, name
    return "passed"
