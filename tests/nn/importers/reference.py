"""What TensorFlow Lite's reference kernels answer, and where the real models lie."""

from __future__ import annotations

import csv
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import tflite

DATA = Path(os.environ.get("SHOAL_DATA") or Path(__file__).parents[4] / "shared" / "data")
AXIS = 16  # of the field in the table of a quantization
FOLDERS = ("seloc/collected_models", "mlperf_tiny/models", "tflite_micro/models")
# Bytes of activations ("head") that TensorFlow Lite Micro allocates: RecordingMicroAllocator of the package
# tflite_micro 0.dev20261023182759; for the models of seloc model_facts.csv has them.
TFLM_HEADS = {
    "ad_float": 3072,
    "ad_int8": 768,
    "hello_world_float": 128,
    "hello_world_int8": 32,
    "ic_float": 196608,
    "ic_int8": 49152,
    "keyword_scrambled": 672,
    "keyword_scrambled_8bit": 672,
    "kws_int8": 16000,
    "micro_speech_quantized": 5968,
    "mnist_lstm_float": 5696,
    "mnist_lstm_int8": 1536,
    "person_detect": 55296,
    "sww_int8": 6656,
    "vww_float": 294912,
    "vww_int8": 73728,
}
REFUSED = {"person_detect_vela": "CUSTOM ethos-u"}


def models():
    """Return the path of each model by its name."""
    paths = [path for folder in FOLDERS for path in sorted((DATA / folder).glob("*.tflite"))]
    return {path.stem: path for path in paths}


def repaired(content):
    """Return a file whose scales of flat constants lie along their only axis, which LiteRT insists on."""
    result = bytearray(content)
    graph = tflite.Model.GetRootAs(content, 0).Subgraphs(0)
    for number in range(graph.TensorsLength()):
        tensor = graph.Tensors(number)
        table = tensor.Quantization() and tensor.Quantization()._tab
        if table and tensor.ShapeLength() == 1 and table.Offset(AXIS):
            struct.pack_into("<i", result, table.Pos + table.Offset(AXIS), 0)
    return bytes(result)


def remembers_bytes(content):
    """Tell whether an SVDF of a file remembers int8 values, which LiteRT takes for int16."""
    graph = tflite.Model.GetRootAs(content, 0).Subgraphs(0)
    tensors = [graph.Tensors(number) for number in range(graph.TensorsLength())]
    return any(tensor.IsVariable() and tensor.Type() == tflite.TensorType.INT8 for tensor in tensors) and all(
        graph.Operators(number).IntermediatesLength() == 0 for number in range(graph.OperatorsLength())
    )


def micro(content):
    """Return a function from a sample to the answer of TensorFlow Lite Micro's reference kernels."""
    package = pytest.importorskip("tflite_micro", reason="pip install tflite-micro")
    interpreter = package.runtime.Interpreter.from_bytes(content)

    def answer(x):
        shape = interpreter.get_input_details(0)["shape"]
        interpreter.set_input(np.reshape(x, shape), 0)
        interpreter.invoke()
        return interpreter.get_output(0).reshape(-1)

    return answer


def reference(content):
    """Return a function from a sample to the answer of LiteRT's reference kernels, in one thread.

    Samples follow each other: what a model remembers it remembers. Where an SVDF remembers int8 values, the
    kernels are those of TensorFlow Lite Micro.
    """
    if remembers_bytes(content):
        return micro(content)
    litert = pytest.importorskip("ai_edge_litert.interpreter", reason="pip install ai-edge-litert")
    interpreter = litert.Interpreter(
        model_content=repaired(content),
        experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF,
        num_threads=1,
    )
    interpreter.allocate_tensors()
    (given,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()

    def answer(x):
        interpreter.set_tensor(given["index"], np.reshape(x, given["shape"]))
        interpreter.invoke()
        return interpreter.get_tensor(result["index"]).reshape(-1)

    return answer


def samples(network, count, seed=0):
    """Return random samples: one over the whole range, one in a narrow band of it, and so on."""
    rng = np.random.default_rng(seed)
    shape, q = network.input_shape, network.input_quantization
    result = []
    for number in range(count):
        if q is None:
            result.append(10.0 ** rng.uniform(-1, 2) * rng.standard_normal(shape) + rng.standard_normal())
            continue
        limits = np.iinfo(q.dtype)
        low = rng.integers(limits.min, limits.max - 32) if number % 2 else limits.min
        result.append(rng.integers(low, low + 33 if number % 2 else limits.max + 1, shape))
    return np.array(result).astype("float32" if q is None else q.dtype)


def heads():
    """Return the bytes of activations that TensorFlow Lite Micro allocates for each model that it runs."""
    with (DATA / "seloc/derived/model_facts.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["file"].removesuffix(".tflite"): row["tflm_arena_head"] for row in csv.DictReader(file)}
    return TFLM_HEADS | {name: int(head) for name, head in rows.items() if head}


def golden(name):
    """Return the stored pairs of sample and answer of the reference kernels."""
    pairs = []
    with np.load(DATA / "seloc/derived/golden_vectors.npz") as stored:
        pairs += [
            (stored[f"{name}/in{i}"], stored[f"{name}/litert_ref{i}"])
            for i in (0, 1)
            if f"{name}/in{i}" in stored
        ]
    for file in ("synthetic_io", "kws_synthetic_io"):
        with np.load(DATA / f"mlperf_tiny/{file}.npz") as stored:
            if f"{name}/x" in stored:
                pairs += zip(stored[f"{name}/x"], stored[f"{name}/y"], strict=True)
    kind = name.removeprefix("ad_")
    if kind in ("float", "int8"):
        with np.load(DATA / "mlperf_tiny/ad01_toycar.npz") as stored:
            pairs += zip(stored[f"x_{kind}"], stored[f"litert_ref_{kind}"], strict=True)
    return pairs
