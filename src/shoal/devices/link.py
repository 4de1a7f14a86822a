"""A line to a board: requests go out as frames, answers come back, what gets lost is said again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from shoal.devices.frames import FrameError, decode, encode
from shoal.devices.protocol import HEAD, STATUSES, Status
from shoal.errors import DeviceError
from shoal.runtime.library import error_of

if TYPE_CHECKING:
    from shoal.devices.protocol import Request

__all__ = ["Link", "Stream"]

ATTEMPTS = 4  # while there is no answer
DAMAGED = 40  # frames in a row, before the line is held for broken
LONGEST = 1 << 17  # bytes without a zero that are still waited for: no frame is so long


class Stream(Protocol):
    """Bytes to and from a board."""

    def write(self, data: bytes, /) -> None:
        """Send all bytes."""

    def read(self, seconds: float, /) -> bytes:
        """Return the bytes that came, after at most this time; none means that none came.

        Raises
        ------
        DeviceError
            Where none can come any more.
        """

    def close(self) -> None:
        """End the connection."""


class Link:
    """Asks a board over a stream, one request after the other.

    A frame that was lost or damaged is sent again; the board does no request twice.

    Parameters
    ----------
    stream
        Where the board is.
    title
        What errors call it.
    patience
        Seconds to wait for an answer before asking again.
    """

    def __init__(self, stream: Stream, title: str, *, patience: float = 10.0) -> None:
        self.title = title
        self._stream = stream
        self._patience = patience
        self._sequence = 0
        self._received = bytearray()
        self._stream.write(b"\0")  # ends what may lie half sent on the line

    def ask(self, request: Request, body: bytes = b"", number: int = 0) -> tuple[int, bytes]:
        """Return number and body of the answer.

        Parameters
        ----------
        request
            What to do.
        body, number
            What it takes.

        Raises
        ------
        ShoalError
            What the board refused, as the runtime in this process would.
        DeviceError
            If it does not answer.
        """
        status, number, answer = self.try_to(request, body, number)
        self.check(status, request)
        return number, answer

    def try_to(self, request: Request, body: bytes = b"", number: int = 0) -> tuple[int, int, bytes]:
        """Return status, number and body of the answer, whatever the status."""
        self._sequence = (self._sequence + 1) % 256
        frame = encode(HEAD.pack(self._sequence, request, number) + body)
        silent = damaged = 0
        while silent < ATTEMPTS and damaged < DAMAGED:
            self._stream.write(frame)
            try:
                answer = self._answer()
            except FrameError:
                damaged += 1
                continue
            if answer is not None:
                return answer
            silent += 1
        what = f"{silent} attempts without an answer, {damaged} damaged frames"
        hint = "check that the board runs Shoal's firmware, and the line's speed"
        raise DeviceError(f"{request.name.lower()}: {what}", where=self.title, hint=hint)

    def check(self, status: int, request: Request) -> None:
        """Raise the error of a status that is not 0."""
        if status in STATUSES:
            raise DeviceError(STATUSES[Status(status)], where=f"{self.title}, {request.name.lower()}")
        if status != 0:
            raise error_of(status, f"{self.title}, {request.name.lower()}")

    def close(self) -> None:
        """End the connection."""
        self._stream.close()

    def _answer(self) -> tuple[int, int, bytes] | None:
        """Return the answer to the last request, none if none came; FrameError if one was damaged."""
        end = time.monotonic() + self._patience
        while (seconds := end - time.monotonic()) > 0:
            if (frame := self._frame(seconds)) is None:
                continue
            payload = decode(frame)
            if len(payload) < HEAD.size:
                raise FrameError("an answer without a head")
            sequence, status, number = HEAD.unpack_from(payload)
            status -= 256 * (status > 127)
            if status == Status.DAMAGED:
                raise FrameError(STATUSES[Status.DAMAGED])
            if sequence == self._sequence:
                return status, number, payload[HEAD.size :]
        return None

    def _frame(self, seconds: float) -> bytes | None:
        """Return the next frame that is not empty, if it has come whole."""
        frame, zero, rest = self._received.partition(b"\0")
        if not zero:
            self._received += self._stream.read(seconds)
            if len(self._received) > LONGEST:
                self._received.clear()
            return None
        self._received = rest
        return bytes(frame) or None
