"""TensorFlow Lite files, described: real ones, small ones, and those of people who mean no good."""

from __future__ import annotations

import csv
import struct

import numpy as np
import pytest

from shoal.catalog.describe import describe, read
from shoal.catalog.describe.tflite import facts
from shoal.errors import ModelError
from shoal.learn.footprint import footprint
from shoal.nn.importers.tflite import load
from tests.catalog.describe.metadata_writer import Described, metadata, zipped
from tests.nn.importers.tflite_cases import cases
from tests.nn.importers.tflite_writer import Writer

NAMES = [
    "ARM_CNN_Small_keyword_spotting",
    "ARM_DS_CNN_Small_",
    "ARM_MicroNet_Small_anomaly_detection",
    "ARM_MicroNet_VWW_3",
    "Anomaly_Detection_Autoencoder",
    "Hello_World",
    "Magic_Wand_1",
    "Magic_Wand_2",
    "Mapping_Dance",
    "Micro_Speech_Forward_Backward",
    "Micro_Speech_Up_Down_Go",
    "Micro_Speech_Yes_No_1",
    "Micro_Speech_Yes_No_2",
    "Micro_Speech_Yes_No_3",
    "Micro_Speech_Yes_No_4",
    "Motion_Trainer_Left_Right",
    "Motion_Trainer_Up_Forward",
    "Move",
    "Person_Detection",
    "Snoring_Guardian",
    "Squats_Counter",
    "Visual_Alarm_Clock",
    "Voice_Turn",
]


@pytest.fixture(scope="module")
def known(seloc):
    """Return what another reader of the format found in the models."""
    with (seloc / "derived" / "model_facts.csv").open() as file:
        return {row["file"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("name", NAMES)
def test_a_real_model_is_described_as_another_reader_does(seloc, known, name):
    model = describe(seloc / "collected_models" / f"{name}.tflite")
    row = known[f"{name}.tflite"]
    counts: dict[str, int] = {}
    for one in model.operators:
        counts[one.name] = counts.get(one.name, 0) + one.count
    assert " ".join(f"{one}:{count}" for one, count in sorted(counts.items())) == row["op_types"]
    assert model.macs == int(row["macs_conv_dw_fc"])
    assert model.parameters == int(row["parameters"])
    assert (model.sha256, model.size) == (row["sha256"], int(row["size_bytes"]))
    for tensors, text in ((model.inputs, row["inputs"]), (model.outputs, row["outputs"])):
        tensor, parts = tensors[0], text.split("|")
        scale, zero = parts[3].removeprefix("scale="), parts[4].removeprefix("zp=")
        shape = "x".join(["1", *map(str, tensor.shape)])
        assert [tensor.name, tensor.dtype.upper(), shape] == parts[:3]
        assert (tensor.quantization is None) == (scale == "")
        if tensor.quantization is not None:
            assert tensor.quantization.scale == pytest.approx((float(scale),), rel=1e-3)
            assert tensor.quantization.zero_point == (int(zero),)


@pytest.mark.parametrize("name", NAMES)
def test_memory_is_what_the_runtime_asks_for(seloc, known, name):
    path = seloc / "collected_models" / f"{name}.tflite"
    model = describe(path)
    network = load(path)
    exact = footprint(network.plan(None))
    assert model.inference.bytes == exact.ram
    assert model.flash.bytes == exact.flash == len(network.plan(None).image())
    assert sum(model.inference.parts.values()) == model.inference.bytes
    # What lives at the same time is the least that a runtime needs, but for a Reshape, which copies nothing.
    peak = int(known[path.name]["peak_live_activation_bytes"])
    reshapes = any(one.name == "RESHAPE" for one in model.operators)
    assert model.inference.bytes > (0.5 if reshapes else 0.95) * peak
    tail = network.train_last(1)
    loss = "cross_entropy" if "SOFTMAX" in {one.name for one in model.operators} else "mse"
    if name == "Anomaly_Detection_Autoencoder":
        loss = "bce"
    assert model.training.bytes == footprint(tail.with_loss(loss).plan("sgd")).ram
    assert model.training.parts["parameters"] == 4 * tail.parameters.size
    assert model.train_last == 1


def test_more_layers_that_learn_need_more(seloc):
    path = seloc / "collected_models" / "Magic_Wand_1.tflite"
    one, two = describe(path), describe(path, train_last=2)
    assert two.train_last == 2
    assert two.training.bytes > one.training.bytes > one.inference.bytes


@pytest.mark.parametrize("name", cases())
def test_every_operator_of_the_importer_is_described(tmp_path, name):
    path = tmp_path / "case.tflite"
    path.write_bytes(cases()[name])
    model = describe(path)
    assert model.operators
    assert model.inputs
    assert model.outputs
    assert model.inference is not None


def unusual():
    """Return a model that the runtime does not run: two inputs, operators that it has not."""
    w = Writer()
    a, b, c, d = (w.value((1, 4)) for _ in range(4))
    weights = w.constant(np.zeros((4, 4), np.float32))
    w.add("FULLY_CONNECTED", [a, weights, -1], [c])
    w.add("CUSTOM Spectrogram", [b], [d])
    return w.bytes([a, b], [c, d])


def test_a_model_that_the_runtime_does_not_run_is_described(tmp_path):
    path = tmp_path / "two.tflite"
    path.write_bytes(unusual())
    description = read(path)
    model = describe(path)
    assert {one.name for one in model.operators} == {"FULLY_CONNECTED", "custom:Spectrogram"}
    assert (len(model.inputs), len(model.outputs)) == (2, 2)
    assert model.parameters == 16
    assert model.macs is None  # of an operator that nobody knows
    assert model.inference is None
    assert model.training is None
    assert "memory is not known" in description.notes[0]


def small(said=None, files=()):
    """Return a model of one layer, with metadata and files."""
    w = Described()
    x, y = w.value((1, 4)), w.value((1, 2))
    weights, bias = w.constant(np.ones((2, 4), np.float32)), w.constant(np.zeros(2, np.float32))
    w.add("FULLY_CONNECTED", [x, weights, bias], [y])
    return w.bytes([x], [y]) if said is None else w.described([x], [y], said, files)


def test_metadata_tell_the_rest(tmp_path):
    buffer = metadata(
        name="Wake word",
        description="Hears its name",
        author="Ada",
        license="Apache License. Version 2.0",
        mean=[127.5],
        std=[64.25],
        labels=["labels.txt"],
        input="log-mel",
    )
    path = tmp_path / "wake.tflite"
    path.write_bytes(small(buffer, [("labels.txt", "yes\nno\n\n")]))
    model = describe(path)
    assert (model.title, model.description, model.creator) == ("Wake word", "Hears its name", "Ada")
    assert model.licence == "Apache-2.0"
    assert (model.input.mean, model.input.std) == ((127.5,), (64.25,))
    assert model.outputs[0].labels == ("yes", "no")
    assert model.inputs[0].description == "log-mel"
    assert model.macs == 8
    assert model.inference is not None


def test_a_licence_in_prose_is_left_to_be_said(tmp_path):
    path = tmp_path / "wake.tflite"
    path.write_bytes(small(metadata(license="You may do this and that, but not more.")))
    assert "licence" in read(path).missing


@pytest.mark.parametrize(
    ("labels", "files", "problem"),
    [
        ("../../etc/passwd", [("../../etc/passwd", "root")], "a file name with a path"),
        ("/etc/passwd", [("/etc/passwd", "root")], "a file name with a path"),
        ("..\\labels.txt", [], "a file name with a path"),
        ("a\0b", [], "a file name with a path"),
        ("..", [], "a file name with a path"),
        ("labels.txt", [("labels.txt", "x" * 50_000_000)], "unpacks to more than"),
        ("labels.txt", [("labels.txt", "x\n" * 20_000)], "20,000 labels"),
        ("labels.txt", [("labels.txt", "x" * 201)], "201 characters"),
        ("labels.txt", [(f"{i}.txt", "x") for i in range(65)], "more than 64 files"),
    ],
)
def test_associated_files_that_are_not_safe_are_refused(tmp_path, labels, files, problem):
    path = tmp_path / "evil.tflite"
    path.write_bytes(small(metadata(labels=[labels]), files))
    with pytest.raises(ModelError, match=problem) as caught:
        describe(path)
    assert "associated file" in caught.value.where
    assert sorted(one.name for one in tmp_path.iterdir()) == ["evil.tflite"]


def test_a_damaged_zip_is_refused(tmp_path):
    archive = bytearray(zipped([("labels.txt", "yes\nno\n" * 100)]))
    archive[40:60] = bytes(20)
    path = tmp_path / "evil.tflite"
    path.write_bytes(small(metadata(labels=["labels.txt"]), bytes(archive)))
    with pytest.raises(ModelError, match="the zip is damaged"):
        describe(path)


def test_a_file_that_is_named_and_not_there_has_no_labels(tmp_path):
    path = tmp_path / "wake.tflite"
    path.write_bytes(small(metadata(labels=["labels.txt"])))
    assert describe(path).outputs[0].labels == ()


def test_metadata_of_another_kind_are_refused(tmp_path):
    path = tmp_path / "wake.tflite"
    path.write_bytes(small(metadata(identifier=b"M999")))
    with pytest.raises(ModelError, match="the metadata are damaged"):
        describe(path)


@pytest.mark.parametrize("cut", [0, 4, 8, 20, 100])
def test_a_file_that_is_cut_short_is_refused(tmp_path, cut):
    path = tmp_path / "short.tflite"
    path.write_bytes(small()[:cut])
    with pytest.raises(ModelError) as caught:
        describe(path)
    assert str(path) in (caught.value.where or str(path))


def test_counts_that_no_file_can_have_are_refused():
    content = bytearray(small())
    for at in range(0, len(content) - 4, 4):
        changed = content[:at] + struct.pack("<I", 0x7FFFFFFF) + content[at + 4 :]
        try:
            found = facts(bytes(changed), "x")
        except ModelError as error:
            assert error.where == "x"  # noqa: PT017
        else:
            assert found["operators"]
