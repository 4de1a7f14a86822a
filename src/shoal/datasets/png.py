"""The PNG files of Omniglot: one bit per pixel, grey, not interlaced. Nothing else is decoded."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SIDE_LIMIT = 4096


def decode_png(data: bytes, where: str = "png") -> NDArray[np.uint8]:
    """Decode a one-bit grey PNG: (height, width) of 0 (black) and 1 (white).

    Parameters
    ----------
    data
        The file.
    where
        Its name, for errors.

    Raises
    ------
    InputError
        For a damaged file or another kind of PNG.

    References
    ----------
    ISO/IEC 15948 (PNG), sections 5, 7.2 and 9.
    """
    header, packed, place = b"", b"", len(SIGNATURE)
    while data.startswith(SIGNATURE) and place + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        body = data[place + 8 : place + 8 + length]
        if data[place + 8 + length : place + 12 + length] != struct.pack(">I", zlib.crc32(kind + body)):
            raise InputError(f"PNG chunk {kind!r} is damaged", where=where)
        header = body if kind == b"IHDR" else header
        packed += body if kind == b"IDAT" else b""
        place += 12 + length
    if len(header) != 13:
        raise InputError("no PNG file", where=where)
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", header)
    if (depth, colour, interlace) != (1, 0, 0) or not 0 < width <= SIDE_LIMIT or not 0 < height <= SIDE_LIMIT:
        raise InputError(
            f"PNG of {width} x {height}, {depth} bit, colour type {colour}", where=where, hint="one-bit grey"
        )
    stride = (width + 7) // 8
    try:
        raw = zlib.decompressobj().decompress(packed, height * (stride + 1) + 1)
    except zlib.error as error:
        raise InputError(f"PNG data is damaged: {error}", where=where) from error
    if len(raw) != height * (stride + 1):
        raise InputError(f"PNG data has {len(raw)} B, not {height * (stride + 1)}", where=where)
    lines = np.frombuffer(raw, np.uint8).reshape(height, stride + 1)
    if lines[:, 0].max() > 4:
        raise InputError(f"PNG filter {lines[:, 0].max()} does not exist", where=where)
    return np.unpackbits(unfilter(lines) if lines[:, 0].any() else lines[:, 1:], axis=1)[:, :width]


def unfilter(lines: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Undo the filter that the first byte of each line names; a pixel's left neighbour is the byte before."""
    above = [0] * lines.shape[1]
    result = []
    for kind, *filtered in lines.tolist():
        line = [0]
        for k, byte in enumerate(filtered):
            a, b, c = line[k], above[k + 1], above[k]
            line.append((byte + (0, a, b, (a + b) // 2, paeth(a, b, c))[kind]) % 256)
        result.append(line[1:])
        above = line
    return np.array(result, np.uint8)


def paeth(a: int, b: int, c: int) -> int:
    """Whichever of left, above and upper left is nearest to a + b - c."""
    return min((a, b, c), key=lambda value: abs(a + b - c - value))
