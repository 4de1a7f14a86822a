"""A serial port: a pseudo-terminal with an emulated board, or noise, behind it."""

from __future__ import annotations

import os
import select
import threading
import tty

import numpy as np
import pytest

from shoal.devices import connect, emulate
from shoal.devices.emulator import boot
from shoal.errors import DeviceError, MissingExtraError
from shoal.learn import Learner
from tests.devices import nets

CORE = "cortex-m4f"
pytestmark = nets.needs(CORE)


class Line(threading.Thread):
    """Carries bytes between a pseudo-terminal and a board; may damage and lose some."""

    def __init__(self, stream, *, damaged: float = 0.0) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._rng = np.random.default_rng(7)
        self._damaged = damaged
        self._ended = threading.Event()
        self.changed = 0
        self.start()

    def run(self) -> None:
        while not self._ended.is_set():
            if select.select([self._master], [], [], 0.002)[0]:
                self._stream.write(self._through(os.read(self._master, 1024)))
            if data := self._stream.read(0.002):
                os.write(self._master, self._through(data))

    def _through(self, data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            draw = self._rng.random()
            self.changed += draw < self._damaged
            if draw < self._damaged / 2:
                continue
            out.append(byte ^ 0x20 if draw < self._damaged else byte)
        return bytes(out)

    def close(self) -> None:
        self._ended.set()
        self.join()
        os.close(self._master)
        os.close(self._slave)
        self._stream.close()


@pytest.fixture
def line():
    pytest.importorskip("serial", reason="pip install 'shoal[serial]'")
    lines = []

    def make(**options):
        lines.append(Line(boot(CORE).link._stream, **options))
        return lines[-1]

    yield make
    for one in lines:
        one.close()


def test_a_board_on_a_serial_port_learns_the_same_bits(line):
    network = nets.conv()
    x, y = nets.samples(network)
    learner = Learner(network)
    port = line().port
    with connect(port, network, core=CORE) as device:
        assert (device.learn_many(x, y) == learner.learn_many(x, y)).all()
        assert device.checksum == learner.checksum
    with connect(port, network) as device:  # as it was left
        assert device.steps == 10
        assert (device.learn_many(x, y) == learner.learn_many(x, y)).all()
        assert device.checksum == learner.checksum


def test_a_line_that_damages_and_loses_bytes_changes_nothing(line):
    network = nets.dense()
    x, y = nets.samples(network)
    learner = Learner(network)
    bad = line(damaged=0.004)
    with connect(bad.port, network, patience=0.3) as device:
        for sample, target in zip(x, y, strict=True):
            assert device.learn_one(sample, target) == learner.learn_one(sample, target)
        assert device.steps == 10
        assert device.checksum == learner.checksum
    assert bad.changed > 5


def test_a_port_without_a_board_is_reported():
    pytest.importorskip("serial", reason="pip install 'shoal[serial]'")
    master, slave = os.openpty()
    try:
        with pytest.raises(DeviceError, match="4 attempts without an answer"):
            connect(os.ttyname(slave), nets.dense(), patience=0.05)
    finally:
        os.close(master)
        os.close(slave)
    with pytest.raises(DeviceError, match="cannot be opened"):
        connect("/dev/no-such-port", nets.dense())


def test_a_port_that_vanishes_is_reported():
    pytest.importorskip("serial", reason="pip install 'shoal[serial]'")
    one = Line(boot(CORE).link._stream)
    device = connect(one.port, nets.dense(), patience=1)
    one.close()
    with pytest.raises(DeviceError, match="the line is gone"):
        device.predict_one([0] * 6)
    device.close()


def test_without_pyserial_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "serial", None)
    with pytest.raises(MissingExtraError, match="pyserial is not installed") as caught:
        connect("/dev/ttyACM0", nets.dense())
    assert caught.value.hint == "pip install 'shoal[serial]'"


def test_emulate_needs_no_port():
    with emulate(nets.dense(), CORE) as device:
        assert device.predict_one([0] * 6).sum() == pytest.approx(1)
