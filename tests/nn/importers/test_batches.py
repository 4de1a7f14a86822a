"""The batch of an ONNX file: samples are answered one by one, or the node that would mix them is refused."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from shoal.nn.importers.errors import ModelError

onnx = pytest.importorskip("onnx", reason="pip install 'shoal[onnx]'")
from shoal.nn.importers.onnx import decode  # noqa: E402
from tests.nn.importers.onnx_models import TOLERANCE, answer, distance, hwc, model, reference  # noqa: E402

KINDS = ("transpose", "reshape", "computed", "flatten", "squeeze", "unsqueeze", "mean", "dense", "group")
SHAPES = ((4,), (2, 3), (6, 4), (2, 3, 4), (2, 4, 6), (2, 1, 4), (1, 4, 4), (3, 3, 2))


def moved(*nodes, **constants):
    """Return the bytes of a model whose batch is open, with 2 x 3 values a sample."""
    return model([("Relu", "x", "0", {}), *nodes], ["N", 2, 3], constants)


@pytest.mark.parametrize(
    ("node", "constants"),
    [
        (("Transpose", "0", "y", {}), {}),
        (("Transpose", "0", "y", {"perm": [1, 0, 2]}), {}),
        (("Reshape", "0 s", "y", {}), {"s": np.array([2, -1, 3])}),
        (("Reshape", "0 s", "y", {}), {"s": np.array([6, -1])}),
        (("Reshape", "0 s", "y", {}), {"s": np.array([1, -1])}),
        (("Flatten", "0", "y", {"axis": 0}), {}),
        (("Unsqueeze", "0 s", "y", {}), {"s": np.array([0])}),
        (("Softmax", "0", "y", {"axis": 0}), {}),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_what_moves_an_open_batch_is_refused_by_the_name_of_its_node(node, constants):
    with pytest.raises(ModelError, match="moves an open batch") as caught:
        decode(moved(node, **constants), "m.onnx")
    assert caught.value.where == f"m.onnx: node 1 'y' ({node[0]})"
    assert caught.value.hint == "export with a batch of 1"


@pytest.mark.parametrize(
    "sizes",
    [[0, -1], [-1, 6], [-1, 3], [-1], [0, 3, 2], [0, 1, 2, 3], [1, 6], [1, 3, 2]],
    ids=str,
)
def test_a_reshape_that_leaves_an_open_batch_in_front_is_none(sizes):
    content = moved(("Reshape", "0 s", "y", {}), s=np.array(sizes))
    x = np.random.default_rng(1).standard_normal((3, 2, 3)).astype(np.float32)
    network = decode(content, "m.onnx", channels_last=True)
    # A shape that says 1 fits a batch of 1 alone.
    for one in np.split(x, 3) if sizes[0] == 1 else [x]:
        expected = reference(content, one).reshape(len(one), -1)
        for sample, row in zip(one, expected, strict=True):
            assert distance(answer(network, sample), row) <= TOLERANCE


def test_a_shape_that_the_file_computes_of_an_open_batch_keeps_it():
    """Rows of all samples, of which the file says how many there are: 2 N."""
    nodes = [
        ("Shape", "0", "1", {}),
        ("Gather", "1 first", "2", {}),
        ("Mul", "2 two", "3", {}),
        ("Concat", "3 three", "4", {"axis": 0}),
        ("Reshape", "0 4", "5", {}),
        ("MatMul", "5 w", "6", {}),
        ("Concat", "2 rest", "7", {"axis": 0}),
        ("Reshape", "6 7", "y", {}),
    ]
    w = np.random.default_rng(2).standard_normal((3, 4)).astype(np.float32)
    sizes = {"first": [0], "two": [2], "three": [3], "rest": [2, 4]}
    content = moved(*nodes, w=w, **{name: np.array(value) for name, value in sizes.items()})
    network = decode(content, "m.onnx", channels_last=True)
    x = np.random.default_rng(3).standard_normal((5, 2, 3)).astype(np.float32)
    for sample, row in zip(x, reference(content, x), strict=True):
        assert distance(answer(network, sample), row) <= TOLERANCE


def test_a_batch_of_1_may_go_anywhere_while_the_values_stay():
    x = np.random.default_rng(4).standard_normal((1, 2, 3, 4)).astype(np.float32)
    content = model([("Relu", "x", "1", {}), ("Transpose", "1", "y", {"perm": [1, 2, 0, 3]})], [1, 2, 3, 4])
    network = decode(content, "m.onnx", channels_last=True)
    assert distance(answer(network, x[0]), reference(content, x)) <= TOLERANCE
    # (2, 4, 1, 3): no image of one sample, and no order of what the network holds.
    content = model([("Relu", "x", "1", {}), ("Transpose", "1", "y", {"perm": [1, 3, 0, 2]})], [1, 2, 3, 4])
    with pytest.raises(ModelError, match=r"the answer \(2, 4, 1, 3\) lies in memory in another order"):
        decode(content, "m.onnx")


@pytest.mark.parametrize("seed", range(4))
def test_whatever_looks_at_values_in_another_way_answers_sample_by_sample(seed):
    draw, compared = random.Random(seed), 0
    for number in range(1000):
        inner, batch = draw.choice(SHAPES), draw.choice(("N", 1, 2, 3))
        nodes, constants = chain(draw, inner)
        content, last = model(nodes, [batch, *inner], constants), draw.random() < 0.5
        try:
            network = decode(content, "m.onnx", channels_last=last)
        except ModelError:
            continue
        count = draw.choice((1, 2, 3)) if batch == "N" else batch
        x = np.random.default_rng(number).standard_normal((count, *inner)).astype(np.float32)
        try:
            y = reference(content, x)
        except ValueError:
            assert count > 1  # the file says N, and its shapes fit 1 alone
            continue
        assert y.size % count == 0
        for sample, row in zip(x, y.reshape(count, -1, *y.shape[1:]), strict=True):
            got = answer(network, sample if last else hwc(sample))
            orders = [row, hwc(row[0]) if len(row) == 1 else row]
            assert min(distance(got, one) for one in orders) <= TOLERANCE * 10, (nodes, constants, batch)
        compared += 1
    assert compared > 100


def chain(draw, inner):
    """Return one to four nodes behind each other, and their constants; shapes are those of a batch of 1."""
    nodes, constants, shape, value = [], {}, [1, *inner], "x"
    for number in range(draw.randint(1, 4)):
        made = step(draw, draw.choice(KINDS), shape, f"{number}.")
        if made is not None:
            added, more, shape = made
            nodes += [(op, inputs.replace("?", value), output, rest) for op, inputs, output, rest in added]
            constants |= more
            value = nodes[-1][2]
    return [*nodes, ("Relu", value, "y", {})], constants


def step(draw, kind, shape, name):
    """Return nodes, their constants and the shape that they give; None where nothing fits."""
    c, out, made = f"{name}c", f"{name}out", None
    axis, size = draw.randrange(max(len(shape), 1)), math.prod(shape)
    rest, random_values = (
        [*shape[:axis], *shape[axis + 1 :]],
        np.random.default_rng(len(name)).standard_normal,
    )
    match kind:
        case "transpose" if shape:
            order = draw.sample(range(len(shape)), len(shape))
            if draw.random() < 0.6:
                order = [0, *(place for place in order if place)]
            made = ("Transpose", "?", {"perm": order}), {}, [shape[place] for place in order]
        case "reshape":
            first = draw.choice(divisors(size))
            sizes = draw.sample([1, first, size // first], 3)
            given = list(sizes)
            if draw.random() < 0.7:
                given[draw.choice((0, 0, 1, 2))] = -1
            made = ("Reshape", f"? {c}", {}), {c: np.array(given)}, sizes
        case "computed" if shape:
            times = draw.choice(divisors(size // shape[0]))
            constants = {c: np.array([0]), f"{c}t": np.array([times]), f"{c}r": np.array([-1])}
            made = ("Reshape", f"? {name}4", {}), constants, [shape[0] * times, size // shape[0] // times]
        case "flatten":
            made = ("Flatten", "?", {"axis": axis}), {}, [math.prod(shape[:axis]), math.prod(shape[axis:])]
        case "unsqueeze":
            made = ("Unsqueeze", f"? {c}", {}), {c: np.array([axis])}, [*shape[:axis], 1, *shape[axis:]]
        case "squeeze" if shape[axis : axis + 1] == [1]:
            made = ("Squeeze", f"? {c}", {}), {c: np.array([axis])}, rest
        case "mean" if rest:
            made = ("ReduceMean", "?", {"axes": [axis], "keepdims": 0}), {}, rest
        case "dense" if len(shape) > 1:
            weights = random_values((shape[-1], 3)).astype(np.float32)
            made = ("MatMul", f"? {c}", {}), {c: weights}, [*shape[:-1], 3]
        case "group" if len(shape) > 2:
            parts = {f"{c}s": random_values(shape[1]), f"{c}b": random_values(shape[1])}
            constants = {key: part.astype(np.float32) for key, part in parts.items()}
            made = ("InstanceNormalization", f"? {c}s {c}b", {}), constants, shape
    if made is None:
        return None
    (operator, inputs, attributes), constants, sizes = made
    before = first_size_times(c, name) if kind == "computed" else []
    return [*before, (operator, inputs, out, attributes)], constants, sizes


def first_size_times(constant, name):
    """Return nodes that compute the shape (first size times a number, the rest)."""
    return [
        ("Shape", "?", f"{name}1", {}),
        ("Gather", f"{name}1 {constant}", f"{name}2", {}),
        ("Mul", f"{name}2 {constant}t", f"{name}3", {}),
        ("Concat", f"{name}3 {constant}r", f"{name}4", {"axis": 0}),
    ]


def divisors(size):
    """Return what divides a number."""
    return [number for number in range(1, size + 1) if size % number == 0]
