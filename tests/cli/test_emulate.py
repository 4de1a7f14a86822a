"""`shoal emulate`."""

from __future__ import annotations

import json

import pytest

from shoal import nn
from shoal.cli import emulate
from shoal.devices.remote import RemoteExecutor
from shoal.learn import Learner
from tests.devices import nets

CORE = "cortex-m4f"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("emulate")
    nets.conv().save(folder / "model.shoal")
    nn.Network([nn.Dense(3)], input_shape=(4,)).save(folder / "answers.shoal")
    return folder


@nets.needs(CORE)
def test_the_board_computes_what_this_process_computes(shoal, folder):
    done = shoal("emulate", "model.shoal", "--steps", "42", "--format", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["ok"] is answer["same_outputs"] is answer["same_checksum"] is True
    assert answer["core"] == CORE
    assert answer["steps"] == 40
    assert answer["instructions"]["learn"] > answer["instructions"]["predict"] > 0
    plan = nets.conv().plan("sgd")
    assert answer["flash"]["image"] == plan.image_size
    assert answer["ram"]["network"] == Learner(nets.conv()).footprint(CORE).ram
    assert 0 < answer["ram"]["stack used"] < answer["ram"]["stack"]


@nets.needs(CORE)
def test_the_table_says_the_same(shoal, folder):
    done = shoal("emulate", "model.shoal", "--core", CORE, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("model.shoal: cortex-m4f on mps2-an386 in QEMU\n")
    for word in (
        "flash, image",
        "RAM, network",
        "predict",
        "learn",
        "after 100 steps: the same bits as here",
    ):
        assert word in done.stdout


@nets.needs("cortex-m0+")
def test_a_board_gives_core_and_memories(shoal, folder):
    done = shoal("emulate", "model.shoal", "--board", "nano33iot", "--format", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["core"] == "cortex-m0+"
    assert answer["ram"]["stack"] == 2048


@nets.needs(CORE)
def test_a_network_without_a_loss_only_answers(shoal, folder):
    done = shoal("emulate", "answers.shoal", "--format", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["ok"] is True
    assert answer["steps"] == 0
    assert "learn" not in answer["instructions"]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (("--core", "z80"), "no emulated board with core 'z80'"),
        (("--board", "nano33iot", "--core", "cortex-m7"), "Arduino Nano 33 IoT has a cortex-m0+"),
        (("--board", "esp-eye"), "no emulator for the xtensa-lx6"),
        (("--board", "abacus"), "abacus"),
        (("--steps", "-1"), "steps is -1"),
    ],
)
def test_what_cannot_be_is_refused(shoal, folder, options, what):
    done = shoal("emulate", "model.shoal", *options, cwd=folder)
    assert done.returncode == 1
    assert what in done.stderr
    assert "  try    " in done.stderr


@nets.needs(CORE)
def test_other_bits_fail(monkeypatch, capsys, folder):
    monkeypatch.setattr(RemoteExecutor, "checksum", lambda _: 1)
    assert emulate.emulate(folder / "model.shoal") == 1
    assert "not what is computed here" in capsys.readouterr().out
