"""`shoal model footprint`."""

from __future__ import annotations

import json
import re

import pytest

from shoal import build, nn
from shoal.boards import BOARDS
from tests.build.conftest import conv, dense


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("footprint")
    dense().save(folder / "dense.shoal")
    conv().save(folder / "conv.shoal")
    layers = [nn.Dense(64, "relu"), nn.Dense(64, "relu"), nn.Dense(10, "softmax")]
    nn.Network(layers, (128,), loss="cross_entropy", seed=0).save(folder / "large.shoal")
    nn.Network([nn.Dense(3)], input_shape=(4,), seed=0).save(folder / "answers.shoal")
    return folder


@pytest.fixture
def footprint(shoal, folder):
    def call(*arguments: str):
        return shoal("model", "footprint", *arguments, cwd=folder)

    return call


def test_the_table_has_every_part_and_says_what_is_estimated(footprint):
    done = footprint("dense.shoal", "--for", "nano33ble")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "dense.shoal on the Arduino Nano 33 BLE Sense, learning by sgd"
    assert lines[-1] == "it fits"
    for part in ("weights", "activations", "record", "application", "stack"):
        assert f"RAM, {part}" in done.stdout
    for part in ("image", "operations", "runtime", "library", "application"):
        assert f"flash, {part}" in done.stdout
    assert "a prediction" in done.stdout
    assert "a learning step" in done.stdout
    assert "time: an estimate with 1.4 cycles for an instruction at 64 MHz; energy: with" in done.stdout


def test_json_says_the_same(footprint, folder):
    done = footprint("dense.shoal", "--for", "nano33ble", "--optimizer", "adam", "--format", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    network = nn.load(folder / "dense.shoal")
    needs = build.requirements(
        build.firmware(network, BOARDS["nano33ble"], build.Training(optimizer="adam"), name="dense")
    )
    assert found["ram"]["needs"] == sum(found["ram"]["parts"].values()) == needs.ram_total
    assert found["flash"]["needs"] == sum(found["flash"]["parts"].values()) == needs.flash_total
    assert found["ram"]["parts"]["optimizer"] == 2 * found["ram"]["parts"]["weights"]
    assert found["flash"]["with_code"] is found["fits"] is True
    assert found["instructions"] == {"predict": needs.instructions.predict, "learn": needs.instructions.learn}
    assert found["estimated"]["cycles_per_instruction"] == 1.4
    assert found["estimated"]["seconds"]["learn"] > found["estimated"]["seconds"]["predict"] > 0
    assert found["estimated"]["joules"]["learn"] > 0
    assert found["advice"] == []


def test_a_network_that_answers_alone_needs_no_training(footprint):
    learns = json.loads(footprint("conv.shoal", "--for", "pico", "--format", "json").stdout)
    answers = json.loads(
        footprint("conv.shoal", "--for", "pico", "--optimizer", "none", "--format", "json").stdout
    )
    assert answers["optimizer"] is None
    assert "learn" not in answers["instructions"]
    assert answers["ram"]["needs"] < learns["ram"]["needs"]
    assert answers["flash"]["needs"] < learns["flash"]["needs"]


def test_fewer_layers_that_learn_take_less(footprint):
    found = [
        json.loads(footprint("conv.shoal", "--for", "pico", *options, "--format", "json").stdout)
        for options in ((), ("--train-last", "1"), ("--train-last", "1", "--bias-only"))
    ]
    steps = [one["instructions"]["learn"] for one in found]
    assert steps == sorted(steps, reverse=True)
    assert len(set(steps)) == 3


def test_what_does_not_fit_gets_the_settings_that_do(footprint):
    done = footprint("large.shoal", "--for", "nucleo-f103rb", "--optimizer", "adam")
    assert done.returncode == 1
    assert "it does not fit" in done.stdout
    assert "--train-last 1 --optimizer adam" in done.stdout
    assert "--bias-only" in done.stdout
    assert "--optimizer none" in done.stdout
    assert "--for " in done.stdout
    found = json.loads(
        footprint("large.shoal", "--for", "nucleo-f103rb", "--optimizer", "adam", "--format", "json").stdout
    )
    for options in found["advice"]:
        board = () if "--for" in options else ("--for", "nucleo-f103rb")
        assert footprint("large.shoal", *options.split(), *board).returncode == 0


def test_a_core_that_was_not_measured_is_named(footprint):
    done = footprint("dense.shoal", "--for", "esp32s3-eye")
    assert done.returncode == 0
    assert re.search(r"^flash, code +not known$", done.stdout, re.MULTILINE)
    assert "instructions: not known for these operations on the xtensa-lx7" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "what", "hint"),
    [
        (("dense.shoal", "--for", "uno"), "8-bit AVR", "nano33iot"),
        (("dense.shoal", "--for", "abacus"), "abacus", ""),
        (("answers.shoal", "--for", "pico", "--train-last", "1"), "without a loss", "--loss mse"),
        (("dense.shoal", "--for", "pico", "--train-last", "9"), "9", ""),
        (("dense.shoal",), "--for", "shoal model footprint -h"),
    ],
)
def test_what_cannot_be_is_refused(footprint, arguments, what, hint):
    done = footprint(*arguments)
    assert done.returncode in {1, 2}
    assert done.stdout == ""
    assert what in done.stderr
    assert hint in done.stderr
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_a_file_that_is_none_or_not_there_is_refused(footprint, folder):
    (folder / "noise.tflite").write_bytes(b"noise" * 20)
    for name in ("nowhere.shoal", "noise.tflite"):
        done = footprint(name, "--for", "pico")
        assert done.returncode == 1
        assert done.stderr.startswith("error: ")
        assert name in done.stderr
