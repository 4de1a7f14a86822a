"""A model file, a sidecar and what somebody adds."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest

from shoal import nn
from shoal.catalog import importers
from shoal.catalog.describe import describe, read, sensor_needs
from shoal.catalog.documents import Need
from shoal.errors import DocumentError, ModelError, StateError, StorageError
from shoal.learn.footprint import footprint


@pytest.fixture
def net():
    layers = [nn.Dense(8, "relu"), nn.Dense(3, "softmax")]
    return nn.Network(layers, input_shape=(4,), loss="cross_entropy", seed=0)


@pytest.fixture
def saved(net, tmp_path):
    path = tmp_path / "Gesture net.shoal"
    net.train_last(1).save(path)
    return path


def test_a_file_of_shoal_says_what_learns(net, saved):
    model = describe(saved)
    assert (model.format, model.name, model.version) == ("shoal", "Gesture-net", "1.0.0")
    assert [(one.name, one.count) for one in model.operators] == [("shoal:Dense", 2)]
    assert (model.macs, model.parameters) == (4 * 8 + 8 * 3, 4 * 8 + 8 + 8 * 3 + 3)
    assert model.train_last == 1
    assert model.inference.bytes == footprint(net.plan(None)).ram
    assert model.training.bytes == footprint(net.train_last(1).plan("sgd")).ram
    assert model.inputs[0].shape == (4,)
    assert model.outputs[0].shape == (3,)


def test_a_file_of_shoal_that_only_answers(net, tmp_path):
    path = tmp_path / "answer.shoal"
    net.freeze().save(path)
    assert describe(path).training is None
    assert describe(path, train_last=2).train_last == 2


def test_what_nobody_said_is_named(saved):
    assert read(saved).missing == ("name", "version", "task", "licence", "sensors")
    said = {
        "name": "g",
        "version": "2.0.0",
        "task": "classification",
        "licence": "MIT",
    }
    assert read(saved, **said, sensors=["Gyroscope"]).missing == ()


def test_a_sidecar_adds_and_an_argument_has_the_last_word(saved):
    saved.with_suffix(".toml").write_text(
        """
        name = "gesture"
        version = "1.2.0"
        licence = "MIT"
        sensors = ["acceleration, -4..4 G, 119 Hz, 3 axes"]
        labels = ["wing", "ring", "slope"]
        tags = ["demo"]
        created = 2026-11-21T12:00:00Z
        metrics = [{ name = "accuracy", value = 0.97 }]

        [input]
        window = 128
        channels = ["x", "y", "z"]
        """
    )
    model = describe(saved, licence="Apache-2.0")
    assert (model.name, model.version, model.licence, model.tags) == (
        "gesture",
        "1.2.0",
        "Apache-2.0",
        ("demo",),
    )
    need = model.input.sensors[0]
    assert (need.observes, need.low, need.high, need.unit, need.rate_hz) == ("acceleration", -4, 4, "G", 119)
    assert (model.input.window, model.input.channels) == (128, ("x", "y", "z"))
    assert model.outputs[0].labels == ("wing", "ring", "slope")
    assert model.metrics[0].value == 0.97
    assert model.created.year == 2026


def test_a_measurement_takes_the_place_of_an_estimate(saved):
    measured = Need(bytes=9000, provenance="measured", method="nano33ble")
    assert describe(saved, inference=measured).inference == measured


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("colour = 1", "colour: no field of a model"),
        ("name = ", "not TOML"),
        ('size = 3\nsha256 = "x"', "sha256: the file itself says this"),
        ('version = "one"', "version: string should match"),
        ('sensors = ["glory"]', "input.sensors: 'glory' is no property"),
        ("input = 3", "input: 3 is no table"),
        ('[input]\nshape = "x"', "input.shape: no field"),
        ('created = "soon"', "created: "),
        ("a" * 1_000_001, "more than 1,000,000 bytes"),
        ("x = " + "[" * 5000 + "]" * 5000, "sidecar"),
    ],
)
def test_a_sidecar_that_is_wrong_is_refused_by_its_field(saved, text, problem):
    saved.with_suffix(".toml").write_text(text)
    with pytest.raises(DocumentError, match=problem.replace(".", r"\.")):
        describe(saved)


def test_a_sidecar_may_lie_elsewhere(saved, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text('name = "elsewhere"')
    assert describe(saved, beside=other).name == "elsewhere"
    with pytest.raises(StorageError, match="cannot read"):
        describe(saved, beside=tmp_path / "none.toml")


def test_more_layers_than_there_are_cannot_learn(saved):
    with pytest.raises(DocumentError, match="train_last: 99 layers, the model has 2"):
        describe(saved, train_last=99)


def test_an_onnx_file_is_described(net, tmp_path):
    onnx = pytest.importorskip("onnx", reason="pip install 'shoal[onnx]'")
    from shoal.nn.exporters.onnx import to_onnx

    path = tmp_path / "gesture.onnx"
    path.write_bytes(to_onnx(net))
    proto = onnx.load(path)
    proto.doc_string = "Hears gestures"
    onnx.helper.set_model_props(proto, {"license": "MIT", "author": "Ada"})
    onnx.save(proto, path)
    model = describe(path)
    assert model.format == "onnx"
    assert {one.name for one in model.operators} >= {"onnx:Gemm", "onnx:Relu", "onnx:Softmax"}
    assert {one.dtype for one in model.operators} == {"float32"}
    assert all(one.version == proto.opset_import[0].version for one in model.operators)
    assert (model.description, model.licence, model.creator) == ("Hears gestures", "MIT", "Ada")
    assert model.macs == 4 * 8 + 8 * 3
    assert model.inference.bytes == footprint(net.plan(None)).ram
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ModelError):
        describe(path)


def test_an_onnx_file_that_the_runtime_does_not_run_is_described(tmp_path):
    onnx = pytest.importorskip("onnx", reason="pip install 'shoal[onnx]'")
    x = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 3, 5])
    y = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    erf = onnx.helper.make_node("Erf", ["x"], ["h"])
    odd = onnx.helper.make_node("Odd", ["h"], ["y"], domain="org.a")
    graph = onnx.helper.make_graph([erf, odd], "g", [x], [y])
    opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("org.a", 2)]
    path = tmp_path / "erf.onnx"
    path.write_bytes(onnx.helper.make_model(graph, opset_imports=opsets).SerializeToString())
    model = describe(path)
    assert {(one.name, one.version) for one in model.operators} == {("onnx:Erf", 17), ("onnx:org.a.Odd", 2)}
    assert model.inputs[0].shape == (3, 5)
    assert model.inference is None


def archive(path, **files):
    with zipfile.ZipFile(path, "w") as opened:
        for name, value in files.items():
            opened.writestr(name.replace("__", "/").replace("_json", ".json"), json.dumps(value))
    return path


def test_archives_that_the_runtime_does_not_run_are_described(tmp_path):
    inner = {"class_name": "Functional", "config": {"layers": [{"class_name": "GRU", "config": {}}]}}
    layers = [
        {"class_name": "InputLayer"},
        {"class_name": "LSTM", "config": {}},
        inner,
        {"class_name": "GRU"},
    ]
    config = {"class_name": "Functional", "config": {"layers": layers}}
    keras = describe(archive(tmp_path / "net.keras", config_json=config))
    assert [(one.name, one.count) for one in keras.operators] == [("keras:GRU", 2), ("keras:LSTM", 1)]
    assert (keras.format, keras.inference) == ("keras", None)
    nodes = [{"target": "torch.ops.aten.gru.input"}, {"target": "torch.ops.aten.linear.default"}, {}]
    program = {"graph_module": {"graph": {"nodes": nodes}}}
    torch = describe(archive(tmp_path / "net.pt2", net__models__model_json=program))
    assert [one.name for one in torch.operators] == ["torch:aten.gru.input", "torch:aten.linear"]
    assert (torch.format, torch.inference) == ("torch", None)


@pytest.mark.parametrize("suffix", [".keras", ".pt2"])
def test_damaged_archives_are_refused(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    path.write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(ModelError, match="not a zip archive"):
        describe(path)
    archive(path, other_json={})
    with pytest.raises(ModelError, match=r"no file|without an exported program"):
        describe(path)


def test_a_file_of_another_format_has_a_size(tmp_path):
    path = tmp_path / "weights.bin"
    path.write_bytes(b"weights")
    model = describe(path)
    assert (model.format, model.size, model.operators, model.inference) == ("other", 7, (), None)
    assert "none that Shoal reads" in read(path).notes[0]


def test_damaged_files_are_refused(saved, tmp_path):
    with pytest.raises(StorageError):
        describe(tmp_path / "none.tflite")
    empty = tmp_path / "empty.tflite"
    empty.write_bytes(b"")
    with pytest.raises(ModelError, match="empty"):
        describe(empty)
    saved.write_bytes(saved.read_bytes()[:-4])
    with pytest.raises(StateError):
        describe(saved)
    wrong = tmp_path / "wrong.tflite"
    wrong.write_bytes(np.random.default_rng(0).bytes(5000))
    with pytest.raises(ModelError):
        describe(wrong)


def test_needs_are_written_the_same_everywhere(tmp_path):
    (tmp_path / "wake.bin").write_bytes(b"model")
    text = "Accelerometer, 3 axes, -4..4 G, 119 Hz; sound, 16 kHz;"
    both = describe(tmp_path / "wake.bin", sensors=text).input.sensors
    assert [(one.observes, one.low, one.rate_hz, one.axes) for one in both] == [
        ("acceleration", -4, 119, 3),
        ("sound", None, 16000, None),
    ]
    assert describe(tmp_path / "wake.bin", sensors=text.split(";")).input.sensors == both
    (tmp_path / "wake.toml").write_text(f'sensors = "{text}"')
    assert describe(tmp_path / "wake.bin").input.sensors == both
    (tmp_path / "wake.csv").write_text(f'file,name,sensors\nwake.bin,wake,"{text}"\n')
    (model,) = importers.load(tmp_path / "wake.csv").documents
    assert model.input.sensors == both


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("glory", "'glory' is no property"),
        ("sound, loud", "'loud' is no range"),
        ("acceleration, 4..-4", "the range is 4.0 to -4.0"),
        ("acceleration, -4..4 DEG_C", "DEG_C is a unit of temperature"),
        ("sound, 0 Hz", "greater than 0"),
    ],
)
def test_a_need_that_cannot_be_read_is_refused(text, problem):
    with pytest.raises(DocumentError, match=problem) as caught:
        sensor_needs(text, "wake.tflite")
    assert caught.value.fields[0][0].startswith("input.sensors")
    assert (caught.value.where, caught.value.hint) == (
        "wake.tflite",
        "acceleration, -4..4 G, 119 Hz, 3 axes",
    )
    assert "input_value" not in str(caught.value)
