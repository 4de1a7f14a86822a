"""What firmware and Python say to each other: ``runtime/ports/serial/PROTOCOL.md`` in numbers."""

from __future__ import annotations

import struct
from dataclasses import dataclass, fields
from enum import IntEnum

from shoal.runtime.records import Info

__all__ = [
    "COUNTED",
    "HEAD",
    "OVERHEAD",
    "PROTOCOL",
    "STATUSES",
    "UNITS",
    "BoardInfo",
    "Request",
    "Status",
    "board_info",
]

PROTOCOL = 1
HEAD = struct.Struct("<BBH")  # sequence, request or status, number
OVERHEAD = HEAD.size + 4  # of a frame, before it is encoded
UNITS = ("nothing", "instructions", "cycles", "microseconds")
COUNTED = ("predict", "score", "learn", "observe", "apply")


class Request(IntEnum):
    """``enum shoal_serve_request``."""

    INFO = 1
    OPEN = 2
    CLOSE = 3
    WRITE = 4
    READ = 5
    INPUT = 6
    PREDICT = 7
    SCORE = 8
    LEARN = 9
    OBSERVE = 10
    APPLY = 11
    GROW = 12
    OPTIMIZER = 13
    TRAINABLE = 14
    ANCHOR = 15
    CHECKSUM = 16
    SAVE = 17
    LOAD = 18
    COUNTS = 19
    STACK = 20
    RESET = 21


class Status(IntEnum):
    """``enum shoal_serve_status``: what the server itself refuses."""

    DAMAGED = -32
    REQUEST = -33
    LENGTH = -34
    CLOSED = -35
    OPEN = -36
    RANGE = -37


STATUSES = {
    Status.DAMAGED: "a frame arrived damaged or too long; nothing was done",
    Status.REQUEST: "a request that this firmware does not know",
    Status.LENGTH: "a request of another length than its kind has",
    Status.CLOSED: "no network is open",
    Status.OPEN: "a network is open; close it first",
    Status.RANGE: "bytes outside the memory that is free, or outside the sample",
}

BOARD = struct.Struct("<8I")
NETWORK = struct.Struct(f"<{len(fields(Info))}I")


@dataclass(frozen=True, slots=True)
class BoardInfo:
    """What a board says of itself.

    Parameters
    ----------
    protocol
        Version of the protocol.
    frame
        Bytes of a request or an answer at most, its head and checksum included.
    memory, free
        Bytes for networks in all, and those that no network takes.
    flash_image
        Bytes of the image that the firmware was built with; 0 without.
    checksum
        Of the image that is open.
    is_open
        Whether a network is open.
    unit
        What the board's counter counts: one of :data:`UNITS`.
    network
        Numbers of the open network; zeros where none is.
    title
        Name of the board.
    """

    protocol: int
    frame: int
    memory: int
    free: int
    flash_image: int
    checksum: int
    is_open: bool
    unit: str
    network: Info
    title: str


def board_info(body: bytes) -> BoardInfo:
    """Read the answer to INFO.

    Raises
    ------
    ValueError
        Where it is too short or says what this version does not know.
    """
    try:
        protocol, frame, memory, free, flash_image, checksum, is_open, unit = BOARD.unpack_from(body)
        network = Info(*NETWORK.unpack_from(body, BOARD.size))
        title = body[BOARD.size + NETWORK.size :].decode()
        return BoardInfo(
            protocol, frame, memory, free, flash_image, checksum, bool(is_open), UNITS[unit], network, title
        )
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"an answer to INFO of {len(body)} bytes: {error}") from None
