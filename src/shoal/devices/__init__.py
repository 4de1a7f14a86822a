"""Networks on boards, emulated or on a serial line, driven like a learner in this process."""

from __future__ import annotations

from shoal.devices.device import Device
from shoal.devices.emulator import emulate
from shoal.devices.firmware import Layout
from shoal.devices.machines import cores
from shoal.devices.serial_port import connect

__all__ = ["Device", "Layout", "connect", "cores", "emulate"]
