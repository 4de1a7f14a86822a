"""Networks in files: every bit comes back, whatever is damaged is refused, an old file survives a failure."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal import nn
from shoal.errors import StateError, StorageError
from shoal.nn.storage import decode, encode
from tests.nn.architectures import FIXED, networks, randomised


@pytest.mark.parametrize("name", FIXED)
def test_a_network_comes_back_bit_for_bit(tmp_path, name):
    network = randomised(FIXED[name](), 4)
    network.save(tmp_path / "net.shoal")
    again = nn.load(tmp_path / "net.shoal")
    assert again.plan().image() == network.plan().image()
    assert repr(again.train()) == repr(network.train())
    assert again.trainable == network.trainable
    assert again.masks == network.masks


@settings(max_examples=40, deadline=None)
@given(networks())
def test_any_network_comes_back(tmp_path_factory, network):
    path = tmp_path_factory.mktemp("nets") / "net.shoal"
    network.save(path)
    again = nn.load(str(path))
    assert again.plan("adam").image() == network.plan("adam").image()
    assert list(path.parent.iterdir()) == [path]


def test_the_file_is_in_the_safetensors_format(tmp_path):
    network = nn.Network([nn.Dense(2)], (3,), "mse")
    network.save(tmp_path / "net.shoal")
    content = (tmp_path / "net.shoal").read_bytes()
    length = int.from_bytes(content[:8], "little")
    assert length % 8 == 0
    header = json.loads(content[8 : 8 + length])
    assert header["dense_1.weights"] == {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 24]}
    assert header["dense_1.bias"] == {"dtype": "F32", "shape": [2], "data_offsets": [24, 32]}
    assert json.loads(header["__metadata__"]["shoal"])["loss"] == "mse"
    assert content[8 + length :] == network.parameters.tobytes()


def load_bytes(folder, content):
    path = folder / "net.shoal"
    path.write_bytes(content)
    return nn.load(path)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(tmp_path_factory, content):
    with pytest.raises(StateError):
        load_bytes(tmp_path_factory.getbasetemp(), content)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_file_is_a_network_or_a_clear_error(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    network = nn.Network([nn.Dense(2, "tanh", trainable=[0]), nn.Residual(nn.Tanh())], (3,), "mse")
    network.save(folder / "good.shoal")
    content = bytearray((folder / "good.shoal").read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))
    loaded = refused = None
    try:
        loaded = load_bytes(folder, bytes(content[:end]))
    except StateError as error:
        refused = error
    if refused is not None:
        assert "net.shoal" in refused.where
    else:
        assert all(np.isfinite(array).all() for array in loaded.arrays.values())


def described(**changes):
    description = {
        "version": 2,
        "layers": [{"layer": "Dense", "units": 2}],
        "input_shape": [3],
        "loss": "mse",
        "seed": 0,
        "input_quantization": None,
    } | changes
    return {"shoal": json.dumps(description)}


ARRAYS = {"dense_1.weights": np.zeros((3, 2), np.float32), "dense_1.bias": np.zeros(2, np.float32)}


def test_the_examples_below_start_from_a_good_file(tmp_path):
    assert load_bytes(tmp_path, encode(ARRAYS, described())).output_shape == (2,)


def nested(depth):
    layers = [{"layer": "Tanh"}]
    for _ in range(depth):
        layers = [{"layer": "Residual", "layers": layers, "shortcut": []}]
    return layers


@pytest.mark.parametrize(
    ("arrays", "metadata", "what"),
    [
        (ARRAYS, {}, "no network"),
        (ARRAYS, {"shoal": "{"}, "not JSON"),
        (ARRAYS, {"shoal": "[" * 100_000}, "not JSON"),
        (ARRAYS, {"shoal": "[]"}, "not version 2"),
        (ARRAYS, described(version=1), "not version 2"),
        (ARRAYS, described(more=1), "other keys"),
        (ARRAYS, described(seed="0"), "seed has the value '0'"),
        (ARRAYS, described(layers=[{"layer": "Standardize", "epsilon": 10**400}]), "epsilon must be"),
        (ARRAYS, described(seed=True), "seed has the value True"),
        (ARRAYS, described(seed=-1), "seed must be"),
        (ARRAYS, described(loss="mae"), "unknown loss"),
        (ARRAYS, described(loss="bce"), "needs sigmoid"),
        (ARRAYS, described(input_shape=[]), "1 or 3 sizes"),
        (ARRAYS, described(input_shape=["3"]), "must be an integer"),
        (ARRAYS, described(input_shape=[4]), r"shape \(3, 2\) instead of \(4, 2\)"),
        (ARRAYS, described(layers=[3]), "a layer is no object"),
        (ARRAYS, described(layers=[{"layer": "Lambda"}]), "unknown layer 'Lambda'"),
        (ARRAYS, described(layers=[{"layer": "Dense", "units": 2, "color": 1}]), "takes no 'color'"),
        (ARRAYS, described(layers=[{"layer": "Dense"}]), "cannot be made"),
        (ARRAYS, described(layers=[{"layer": "Dense", "units": [2]}]), "units must be an integer"),
        (ARRAYS, described(layers=[{"layer": "Dense", "units": 2, "name": 3}]), "3 cannot be a layer's name"),
        (ARRAYS, described(layers=[{"layer": "Dense", "units": 2, "activation": []}]), "unknown activation"),
        (ARRAYS, described(layers=[{"layer": "Dense", "units": 2, "init": ["zeros"]}]), "unknown init"),
        (
            ARRAYS,
            described(layers=[{"layer": "Dense", "units": 2, "trainable": {"slice": [1]}}]),
            "not a slice",
        ),
        (
            ARRAYS,
            described(layers=[{"layer": "Residual", "layers": [], "x": 1, "shortcut": []}]),
            "other arguments",
        ),
        (ARRAYS, described(layers=nested(40)), "the layers are no list"),
        (ARRAYS, described(layers=[{"layer": "Dense", "units": 1 << 28}] * 2), "parameters, at most"),
        ({}, described(), "'dense_1.bias' is missing"),
        (ARRAYS | {"x": np.zeros(1, np.float32)}, described(), "'x' is not one"),
        (ARRAYS | {"dense_1.bias": np.array([0, np.nan], np.float32)}, described(), "value nan"),
    ],
)
def test_a_file_that_is_no_network_is_refused_with_the_reason(tmp_path, arrays, metadata, what):
    with pytest.raises(StateError, match=what) as caught:
        load_bytes(tmp_path, encode(arrays, metadata))
    assert "net.shoal" in caught.value.where


def with_header(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "cut short"),
        (b"\xff" * 8, "cut short"),
        (with_header({})[:-1], "cut short"),
        (with_header(b"\xff\xff"), "not JSON"),
        (with_header(b"[" * 100_000), "not JSON"),
        (with_header([]), "no object"),
        (with_header({"__metadata__": {"a": 1}}), "not text"),
        (with_header({"__metadata__": []}), "not text"),
        (with_header({"a": 3}), "not float32"),
        (with_header({"a": {"dtype": "F16", "shape": [], "data_offsets": [0, 2]}}, b"ab"), "not float32"),
        (
            with_header({"a": {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}}, b"abcd"),
            "no sound shape",
        ),
        (
            with_header({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, b"abcd"),
            "no sound shape",
        ),
        (
            with_header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]}}, b"abcd"),
            "no sound shape",
        ),
        (
            with_header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, b"abcd"),
            "4 bytes for the shape",
        ),
        (
            with_header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, b"abcdefgh"),
            "leaves a gap",
        ),
        (with_header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}), "outside the data"),
        (with_header({}, b"abcd"), "4 bytes too many"),
    ],
)
def test_bytes_that_are_no_safetensors_file_are_refused_with_the_reason(content, what):
    with pytest.raises(StateError, match=what):
        decode(content, "file")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(StorageError, match="cannot read: No such file") as caught:
        nn.load(tmp_path / "nothing.shoal")
    assert caught.value.where == str(tmp_path / "nothing.shoal")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StorageError, match="cannot write: No such file"):
        FIXED["mlp"]().save(tmp_path / "nowhere" / "net.shoal")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "net.shoal"
    FIXED["mlp"]().save(path)
    before = path.read_bytes()

    def full_disk(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(StorageError, match="No space left on device"):
        FIXED["conv"]().save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
