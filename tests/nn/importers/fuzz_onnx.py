"""Mutates ONNX files and imports them: whatever the bytes, an error or a network that answers as they say.

    python -m tests.nn.importers.fuzz_onnx [files] [seed]

Half of the files are damaged as bytes, half as a graph with other numbers, names and operators; memory is
limited. Each network is compared with ONNX's evaluator; where they differ, ONNX Runtime decides, if it is
installed. The last file with an error that is not a ModelError, or with a wrong answer, is left in
fuzz_onnx.failed.
"""

from __future__ import annotations

import random
import resource
import sys
import time
import zipfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx

from shoal.errors import ShoalError
from shoal.nn.exporters import to_onnx
from shoal.nn.importers.errors import ModelError
from shoal.nn.importers.onnx import decode
from shoal.nn.importers.onnx.reader import needed_nodes
from tests.nn.architectures import FIXED, randomised
from tests.nn.importers.archives import scrambled
from tests.nn.importers.onnx_models import CASES, answer, case_names, hwc, reference

NUMBERS = (0, 1, -1, 2, 3, 5, 7, 255, 256, 65536, 1 << 31, -(1 << 31), 1 << 62, -(1 << 63))
REALS = (0.0, -1.0, 0.5, 1e30, float("nan"), float("inf"))
ATTRIBUTES = (
    "pads",
    "strides",
    "group",
    "axis",
    "perm",
    "alpha",
    "transA",
    "dilations",
    "ceil_mode",
    "auto_pad",
)
LIMIT = 4 << 30
LARGEST_RUN = 1 << 18
TOLERANCE = 1e-3


def corpus():
    """Return exported networks, and the conformance cases that are imported as they are."""
    files = [to_onnx(randomised(make(), 1)) for name, make in FIXED.items() if name != "standardised"]
    if CASES.exists():
        with zipfile.ZipFile(CASES) as archive:
            cases = [archive.read(f"{name}/model.onnx") for name in case_names()]
        for content in cases:
            with suppress(ModelError):
                decode(content, "case")
                files.append(content)
    return files


def changed(model, models, draw):
    """Return a copy of a graph with other numbers, names or operators."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    for _ in range(draw.choice((1, 1, 2, 3))):
        if not graph.node:
            break
        # Protobuf refuses what a field cannot hold.
        with suppress(ValueError, IndexError):
            change(draw.choice(graph.node), copy, models, draw)
    return copy.SerializeToString()


def change(node, model, models, draw):
    """Make one change."""
    graph = model.graph
    names = [name for other in graph.node for name in (*other.input, *other.output)]
    kind = draw.randrange(10)
    if kind == 0:
        alter(draw.choice(node.attribute), draw)
    elif kind == 1:
        del node.attribute[draw.randrange(len(node.attribute))]
    elif kind == 2:
        node.input[draw.randrange(len(node.input))] = draw.choice([*names, ""])
    elif kind == 3:
        node.op_type = draw.choice([other.op_type for some in models for other in some.graph.node])
    elif kind == 4:
        del graph.node[draw.randrange(len(graph.node))]
    elif kind == 5:
        dims = draw.choice(graph.initializer).dims
        dims[draw.randrange(len(dims))] = draw.choice(NUMBERS)
    elif kind == 6:
        dims = draw.choice(graph.initializer).dims
        dims[:] = draw.sample(list(dims), len(dims))
    elif kind == 7:
        draw.choice(graph.input[0].type.tensor_type.shape.dim).dim_value = draw.choice((*NUMBERS, 4, 8))
    elif kind == 8:
        node.attribute.add(name=draw.choice(ATTRIBUTES), type=2, i=draw.choice(NUMBERS))
    else:
        model.opset_import[0].version = draw.randrange(5, 30)


def alter(attribute, draw):
    """Give an attribute another value of its kind."""
    if attribute.ints:
        attribute.ints[draw.randrange(len(attribute.ints))] = draw.choice(NUMBERS)
    elif attribute.type == onnx.AttributeProto.FLOAT:
        attribute.f = draw.choice(REALS)
    elif attribute.type == onnx.AttributeProto.STRING:
        attribute.s = draw.choice((b"SAME_UPPER", b"SAME_LOWER", b"VALID", b"", b"\xff"))
    else:
        attribute.i = draw.choice(NUMBERS)


def verdict(content, network, seed):
    """Return whether a network answers as the file says: "equal", "differs", or why nobody knows."""
    graph = onnx.load_from_string(content).graph
    names = needed_nodes(graph, graph.output[0].name)[1] - {tensor.name for tensor in graph.initializer}
    (given,) = (value for value in graph.input if value.name in names)
    sizes = [dim.dim_value for dim in given.type.tensor_type.shape.dim]
    sizes = [1, *sizes[1:]] if len(sizes) != 1 or not sizes[0] else sizes
    if np.prod(sizes, dtype=float) > LARGEST_RUN or network.trace.sample.shape == ():
        return "too large to run"
    x = np.random.default_rng(seed).standard_normal(sizes).astype(np.float32)
    last = False
    try:
        decode(content, "file", channels_last=False)
    except ModelError:
        last = True
    sample = x.reshape(network.input_shape) if last or x.ndim not in {3, 4} else hwc(x[0])
    try:
        got = answer(network, sample)
    except ShoalError:
        return "not finite"
    for evaluate in (reference, runtime):
        expected = evaluate(content, x)
        if expected is None:
            return "differs from the evaluator"
        if not np.isfinite(expected).all():
            return "not finite"
        # Squeeze may have taken the batch, of which the file does not say that it is 1.
        orders = [expected, hwc(expected), *(hwc(one) for one in expected[:1])]
        scale = max(np.abs(expected).max(initial=0), 1e-9)
        if any(got.size == y.size and np.abs(got - y.reshape(-1)).max() <= TOLERANCE * scale for y in orders):
            return "equal" if evaluate is reference else "equal to ONNX Runtime alone"
    return "differs"


def runtime(content, x):
    """Return what ONNX Runtime answers, None where it is not installed."""
    try:
        import onnxruntime
    except ImportError:
        return None
    onnxruntime.set_default_logger_severity(4)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def main(count=10_000, seed=0):
    """Import mutated files and print how many were refused, imported and compared."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    files, draw, results = corpus(), random.Random(seed), Counter()
    models = [onnx.load_from_string(content) for content in files]
    slowest, start = 0.0, time.perf_counter()
    for number in range(count):
        chosen = draw.randrange(len(files))
        damage = draw.random() < 0.5
        content = scrambled(files[chosen], draw) if damage else changed(models[chosen], models, draw)
        begin = time.perf_counter()
        what = "refused"
        try:
            with suppress(ModelError):
                network = decode(content, "file")
                what = "imported"
        except BaseException:
            Path("fuzz_onnx.failed").write_bytes(content)
            raise
        slowest = max(slowest, time.perf_counter() - begin)
        results[what] += 1
        if what == "imported":
            try:
                found = verdict(content, network, number)
            except Exception as error:  # noqa: BLE001 - the evaluators raise whatever they like
                found = f"evaluator fails: {type(error).__name__}"
            results[f"  {found}"] += 1
            if found == "differs":
                Path("fuzz_onnx.failed").write_bytes(content)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    took = f"{time.perf_counter() - start:.0f} s, slowest {slowest:.2f} s, peak {peak} MiB"
    lines = [f"{count:,} files in {took}", *(f"{n:8,} {what}" for what, n in results.most_common())]
    sys.stdout.write("\n".join(lines) + "\n")
    return results


if __name__ == "__main__":
    failed = main(*map(int, sys.argv[1:3]))["  differs"]
    sys.exit(failed > 0)
