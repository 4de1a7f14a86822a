"""Boards on a serial port."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.devices.device import Device
from shoal.devices.link import Link
from shoal.devices.remote import RemoteExecutor
from shoal.errors import DeviceError, MissingExtraError

if TYPE_CHECKING:
    from shoal.learn import Optimizer
    from shoal.nn import Network

__all__ = ["connect"]


class SerialStream:
    """A serial port as a stream of bytes."""

    def __init__(self, port: str, baud: int) -> None:
        try:
            import serial
        except ImportError:
            raise MissingExtraError("pyserial", "serial") from None
        self._error: Any = serial.SerialException
        self._port_name = port
        try:
            self._port = serial.Serial(port, baud, write_timeout=10)
        except (serial.SerialException, ValueError) as error:
            hint = (
                "python -m serial.tools.list_ports lists the ports; on Linux the group dialout may use them"
            )
            raise DeviceError(f"the port cannot be opened: {error}", where=port, hint=hint) from None

    def write(self, data: bytes) -> None:
        """Send all bytes."""
        try:
            self._port.write(data)
        except (self._error, OSError, TypeError) as error:
            raise self._gone(error) from None

    def read(self, seconds: float) -> bytes:
        """Return the bytes that came, after at most this time; none means that none came."""
        try:
            self._port.timeout = seconds
            first: bytes = self._port.read(1)
            rest: bytes = self._port.read(self._port.in_waiting)
        except (self._error, OSError, TypeError) as error:
            raise self._gone(error) from None
        return first + rest

    def close(self) -> None:
        """Close the port."""
        self._port.close()

    def _gone(self, error: Exception) -> DeviceError:
        return DeviceError(
            f"the line is gone: {error}", where=self._port_name, hint="plug the board in and connect again"
        )


def connect(
    port: str,
    network: Network,
    optimizer: Optimizer | None = None,
    *,
    batch: int = 1,
    baud: int = 115_200,
    core: str | None = None,
    patience: float = 10.0,
) -> Device:
    """Connect to a board on a serial port that runs the server of ``runtime/ports/serial``.

    Parameters
    ----------
    port
        Its name, for instance ``"/dev/ttyACM0"`` or ``"COM3"``.
    network, optimizer, batch
        As for :class:`shoal.learn.Learner`. Where the board has this very image open, it goes on with what it
        has learnt; else the board opens it anew, from its flash or sent there.
    baud
        Bits per second of the line.
    core
        Of the board, where known: an error can then say how much memory is missing.
    patience
        Seconds that a request may take on the board.

    Returns
    -------
    Device
        A context manager that closes the port.

    Raises
    ------
    MissingExtraError
        If pyserial is not installed.
    DeviceError
        If the port cannot be opened or no board answers.
    ImageError
        If the board has too little memory.
    """

    def start(_image: bytes, _need: int | None) -> RemoteExecutor:
        stream = SerialStream(port, baud)
        try:
            return RemoteExecutor(Link(stream, port, patience=patience))
        except BaseException:
            stream.close()
            raise

    return Device(
        network,
        start,
        optimizer,
        batch=batch,
        core=core,
    )
