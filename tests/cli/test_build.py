"""`shoal build`."""

from __future__ import annotations

import os

import pytest

from shoal import build, nn
from tests.build.conftest import dense, int8, need_core


@pytest.fixture
def folder(tmp_path):
    dense().save(tmp_path / "dense.shoal")
    layers = [nn.Dense(64, "relu"), nn.Dense(64, "relu"), nn.Dense(10, "softmax")]
    nn.Network(layers, (128,), loss="cross_entropy", seed=0).save(tmp_path / "large.shoal")
    return tmp_path


@pytest.fixture
def call(shoal, folder):
    def call(*arguments: str):
        return shoal("build", *arguments, cwd=folder)

    return call


@pytest.mark.parametrize("target", [name for name in build.TARGETS if name != "qemu"])
def test_every_target_is_written_and_the_next_command_named(call, folder, target):
    board = "esp32c3-devkitm" if target == "esp-idf" else "nano33ble"
    done = call("dense.shoal", "--for", board, "--to", target)
    assert done.returncode == 0, done.stderr
    place = folder / f"dense-{target}"
    assert (place / "README.md").exists()
    assert done.stdout.startswith(f"dense-{target}: dense for the ")
    assert " B of flash of its own" in done.stdout
    assert done.stderr.startswith("next  ")
    assert f"dense-{target}" in done.stderr
    assert {entry.name for entry in folder.iterdir()} == {"dense.shoal", "large.shoal", place.name}


def test_a_project_for_qemu_is_compiled_and_run(call, folder):
    need_core("cortex-m4f", emulator=True)
    int8().save(folder / "frozen.shoal")
    done = call("frozen.shoal", "--for", "nano33ble", "--to", "qemu", "--train-last", "1")
    assert done.returncode == 0, done.stderr
    assert "emulated cortex-m4f" in done.stdout
    assert "a learning step" in done.stdout
    assert "golden vectors: ok; checksum " in done.stdout
    assert "after 8 samples and a restart: the same bits as here" in done.stdout
    assert done.stderr == "next  make -C frozen-qemu run\n"


def test_name_folder_and_labels_are_those_given(call, folder):
    options = ("--name", "gesture", "--out", "there/project", "--labels", "up, down, left, right")
    done = call("dense.shoal", "--for", "pico", "--to", "zephyr", *options)
    assert done.returncode == 0, done.stderr
    place = folder / "there" / "project"
    assert "# gesture" in (place / "README.md").read_text(encoding="utf-8")
    model = (place / "model" / "model.c").read_text(encoding="utf-8")
    assert '"up", "down", "left", "right"' in model


def test_a_folder_that_holds_something_is_kept_unless_forced(call, folder):
    place = folder / "dense-cmake"
    place.mkdir()
    (place / "mine.txt").write_text("mine", encoding="utf-8")
    done = call("dense.shoal", "--for", "pico", "--to", "cmake")
    assert done.returncode == 1
    assert "is there and not empty" in done.stderr
    assert "  where  folder\n  try    another folder, or --force\n" in done.stderr
    assert [entry.name for entry in place.iterdir()] == ["mine.txt"]
    done = call("dense.shoal", "--for", "pico", "--to", "cmake", "--force")
    assert done.returncode == 0, done.stderr
    assert not (place / "mine.txt").exists()
    assert (place / "CMakeLists.txt").exists()


def test_a_board_that_is_too_small_names_what_fits(call, folder):
    done = call("large.shoal", "--for", "nucleo-f103rb", "--to", "cmake", "--optimizer", "adam")
    assert done.returncode == 1
    assert done.stderr.startswith("error: the model needs ")
    assert "B of RAM to learn, board 'nucleo-f103rb' has 20,480 B" in done.stderr
    assert "  where  --for\n  try    --train-last 1 --optimizer adam (" in done.stderr
    assert not (folder / "large-cmake").exists()
    done = call("large.shoal", "--for", "nucleo-f103rb", "--to", "cmake", "--train-last", "1")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("options", "what", "hint"),
    [
        (("--for", "uno", "--to", "arduino"), "8-bit AVR (ATmega328P, 2,048 B of RAM)", "nano33iot"),
        (("--for", "esp32s3-eye", "--to", "cmake"), "xtensa-lx7", "--to esp-idf"),
        (("--for", "nano33ble", "--to", "esp-idf"), "esp-idf", "--to arduino"),
        (("--for", "pico", "--to", "cmake", "--name", "7up"), "'7up'", "a letter"),
        (("--for", "pico", "--to", "cmake", "--labels", "a,b,c,d,e"), "5 labels for 4 outputs", ""),
        (("--for", "pico", "--to", "cmake", "--rate", "1e30"), "", "a rate below"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(call, folder, options, what, hint):
    before = {entry.name for entry in folder.iterdir()}
    done = call("dense.shoal", *options)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert what in done.stderr
    assert hint in done.stderr
    assert {entry.name for entry in folder.iterdir()} == before


def test_a_target_that_is_none_is_refused(call):
    done = call("dense.shoal", "--for", "pico", "--to", "keil")
    assert done.returncode == 2
    assert '"arduino", "cmake", "esp-idf", "platformio", "qemu", "zephyr"' in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_that_cannot_be_written_is_named(call, folder):
    (folder / "closed").mkdir(mode=0o500)
    done = call("dense.shoal", "--for", "pico", "--to", "cmake", "--out", "closed/project")
    assert done.returncode == 1
    assert "cannot write" in done.stderr
