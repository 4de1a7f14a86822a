"""Emulated boards: what does not fit, what is missing, and boards that end."""

from __future__ import annotations

import shutil

import pytest

from shoal import nn
from shoal.devices import Layout, cores, emulate, firmware
from shoal.devices.emulator import boot
from shoal.errors import ConfigError, DeviceError, ImageError, StorageError
from shoal.learn.footprint import CORES
from tests.devices import nets

CORE = "cortex-m4f"


def large(units: int) -> nn.Network:
    return nn.Network([nn.Dense(units)], input_shape=(256,), loss="mse")


def test_every_core_has_a_known_footprint():
    assert set(cores()) <= set(CORES)


def test_an_unknown_core_is_refused():
    with pytest.raises(ConfigError, match="'z80'") as caught:
        emulate(nets.dense(), "z80")
    assert "cortex-m4f" in caught.value.hint


@nets.needs(CORE)
def test_the_linker_enforces_the_memories():
    with pytest.raises(ImageError, match="B too large for 1,048,576 B of flash"):
        emulate(large(1024), CORE)
    with pytest.raises(ImageError, match=r"the network takes 2\d\d,\d\d\d B, which 262,144 B of RAM"):
        emulate(large(250), CORE)
    with emulate(large(240), CORE) as device:
        assert device.board.board.memory >= device.footprint(CORE).ram
    with pytest.raises(ImageError, match="16,384 B of RAM"):
        emulate(large(16), CORE, layout=Layout(ram=16_384))
    with pytest.raises(ImageError, match="20,000 B of flash"):
        emulate(nets.dense(), CORE, layout=Layout(flash=20_000))
    with pytest.raises(ImageError, match="too large for 6,144 B of ram"):
        emulate(nets.dense(), CORE, layout=Layout(ram=6144))


@nets.needs(CORE)
def test_memories_that_the_machine_has_not_are_refused():
    with pytest.raises(ConfigError, match="at most 4,194,304 B"):
        emulate(nets.dense(), CORE, layout=Layout(ram=1 << 30))
    for wrong in ({"stack": 8}, {"frame": 100}, {"frame": 1 << 20}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            Layout(**wrong)


@nets.needs("cortex-m0+")
def test_a_small_board_is_enough_for_a_small_network():
    layout = Layout(ram=8192, flash=100_000, stack=1536, frame=256)
    with emulate(nets.dense(), "cortex-m0+", layout=layout) as device:
        x, y = nets.samples(device.network)
        assert device.learn_many(x, y).shape == (10,)
        assert device.board.firmware.ram == 1536 + 2 * 256
        assert device.stack_used < 1536


@nets.needs("cortex-m4f", "rv32imc")
@pytest.mark.parametrize("core", ["cortex-m4f", "rv32imc"])
def test_a_board_that_is_gone_is_reported(core):
    device = emulate(nets.dense(), core)
    device.board.link._stream._process.kill()
    with pytest.raises(DeviceError, match="the emulated board has ended with code -9"):
        device.predict_one([0] * 6)
    with pytest.raises(DeviceError):
        device.learn_one([0] * 6, 0)
    device.close()
    with pytest.raises(DeviceError, match="closed"):
        device.predict_one([0] * 6)
    device.close()


@nets.needs(CORE)
def test_a_stack_that_is_too_small_ends_the_board():
    def use():
        with emulate(nets.conv(), CORE, layout=Layout(stack=512)) as device:
            device.learn_many(*nets.samples(device.network))

    with pytest.raises(DeviceError, match="ended with code") as caught:
        use()
    assert "a larger stack" in caught.value.hint


@nets.needs(CORE)
def test_the_process_ends_with_the_device():
    with emulate(nets.dense(), CORE) as device:
        process = device.board.link._stream._process
        assert process.poll() is None
    assert process.returncode is not None
    device = emulate(nets.dense(), CORE)
    process = device.board.link._stream._process
    del device
    process.wait(10)


@pytest.mark.parametrize("tool", ["arm-none-eabi-gcc", "qemu-system-arm"])
def test_a_missing_tool_is_named_with_its_package(tool, tmp_path, monkeypatch):
    for name in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if name != tool and (path := shutil.which(name)):
            (tmp_path / name).symlink_to(path)
        elif name != tool:
            pytest.skip(f"{name} is not installed")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=f"{tool} is not installed") as caught:
        boot(CORE)
    assert caught.value.hint.startswith("sudo apt-get install ")


@nets.needs(CORE)
def test_a_cache_that_cannot_be_made_is_reported(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(StorageError, match="no cache for firmware"):
        boot(CORE)


@nets.needs(CORE)
def test_firmware_is_compiled_once(monkeypatch):
    boot(CORE).link.close()
    monkeypatch.setattr(firmware, "compile_into", None)  # would fail
    boot(CORE).link.close()
    assert len(list(firmware.cache().glob(f"{CORE}-*"))) == 1
