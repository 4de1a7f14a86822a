"""Frames on a serial line: COBS (Cheshire and Baker, 1999), a CRC-32 and a zero at the end."""

from __future__ import annotations

import zlib

__all__ = ["FrameError", "decode", "encode", "stuff", "unstuff"]

BLOCK = 254  # most bytes without a zero that one code byte stands for


class FrameError(ValueError):
    """Bytes that are no frame, or not the one that was sent."""


def encode(payload: bytes) -> bytes:
    """Return a payload as a frame.

    Parameters
    ----------
    payload
        Any bytes.

    Returns
    -------
    bytes
        Without a zero but for the last byte.

    Examples
    --------
    >>> encode(b"").hex()
    '010101010100'
    """
    return stuff(payload + zlib.crc32(payload).to_bytes(4, "little")) + b"\0"


def decode(frame: bytes) -> bytes:
    """Return the payload of a frame.

    Parameters
    ----------
    frame
        With or without its last zero.

    Raises
    ------
    FrameError
        Where the bytes were not encoded so, or changed on the way.

    Examples
    --------
    >>> decode(encode(bytes([1, 0, 2]))).hex()
    '010002'
    """
    checked = unstuff(frame.removesuffix(b"\0"))
    payload, crc = checked[:-4], checked[-4:]
    if len(crc) < 4 or zlib.crc32(payload) != int.from_bytes(crc, "little"):
        raise FrameError("a frame has another checksum than its bytes")
    return payload


def stuff(data: bytes) -> bytes:
    """Return bytes without zeros that stand for any bytes.

    Examples
    --------
    >>> stuff(bytes([0x11, 0x22, 0, 0x33])).hex()
    '0311220233'
    """
    out = bytearray()
    first = 0
    while first <= len(data):
        limit = min(first + BLOCK, len(data))
        end = data.find(0, first, limit)
        end = limit if end < 0 else end
        out += bytes([end - first + 1]) + data[first:end]
        # A full block stands for no zero; the end of the bytes counts as one.
        if end - first < BLOCK:
            first = end + 1
        elif end < len(data):
            first = end
        else:
            break
    return bytes(out)


def unstuff(stuffed: bytes) -> bytes:
    """Return the bytes that :func:`stuff` was given.

    Raises
    ------
    FrameError
        Where it cannot have returned these.
    """
    if not stuffed or 0 in stuffed:
        raise FrameError("a frame is empty or has a zero inside")
    out = bytearray()
    at = 0
    while at < len(stuffed):
        code = stuffed[at]
        block = stuffed[at + 1 : at + code]
        if len(block) != code - 1:
            raise FrameError("a frame ends inside a block")
        out += block
        at += code
        if code <= BLOCK and at < len(stuffed):
            out.append(0)
    return bytes(out)
