from __future__ import annotations

import contextlib
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.datasets.png import SIGNATURE, decode_png
from shoal.errors import InputError


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def encode(pixels: np.ndarray, filters: list[int], header: tuple[int, ...] = (1, 0, 0, 0, 0)) -> bytes:
    """A one-bit PNG, each line with a filter of its own."""
    height, width = pixels.shape
    lines = np.packbits(pixels, axis=1).astype(int)
    out = b""
    for k, kind in enumerate(filters):
        line = lines[k]
        up = lines[k - 1] if k else np.zeros_like(line)
        left, corner = np.r_[0, line[:-1]], np.r_[0, up[:-1]]
        guess = left + up - corner
        distance = np.abs(np.stack([guess - left, guess - up, guess - corner]))
        paeth = np.choose(distance.argmin(axis=0), [left, up, corner])
        predicted = [np.zeros_like(line), left, up, (left + up) // 2, paeth][kind]
        out += bytes([kind]) + ((line - predicted) % 256).astype(np.uint8).tobytes()
    packed = zlib.compress(out)
    half = len(packed) // 2
    return (
        SIGNATURE
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, *header))
        + chunk(b"tIME", b"1234567")
        + chunk(b"IDAT", packed[:half])
        + chunk(b"IDAT", packed[half:])
        + chunk(b"IEND", b"")
    )


@given(st.integers(1, 40), st.integers(1, 20), st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=60, deadline=None)
def test_every_filter_is_undone(width: int, height: int, seed: int, plain: bool) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 2, (height, width), dtype=np.uint8)
    filters = [0] * height if plain else rng.integers(0, 5, height).tolist()
    assert np.array_equal(decode_png(encode(pixels, filters)), pixels)


PIXELS = np.eye(9, dtype=np.uint8)
GOOD = encode(PIXELS, [0] * 9)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no PNG"),
        (b"GIF89a", "no PNG"),
        (SIGNATURE, "no PNG"),
        (GOOD[:20], "no PNG|damaged"),
        (GOOD[:-40], "damaged|has"),
        (GOOD[:45] + b"?" + GOOD[46:], "damaged"),
        (encode(PIXELS, [0] * 8), "not 27"),
        (encode(PIXELS, [0] * 9, (8, 0, 0, 0, 0)), "8 bit"),
        (encode(PIXELS, [0] * 9, (1, 3, 0, 0, 0)), "colour type 3"),
        (encode(PIXELS, [0] * 9, (1, 0, 0, 0, 1)), "PNG of"),
        (SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31, 9, 1, 0, 0, 0, 0)), "PNG of 2147483648"),
        (
            SIGNATURE
            + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 1, 1, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"\x05\x00")),
            "filter 5",
        ),
    ],
)
def test_other_files_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        decode_png(data)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
@settings(deadline=None)
def test_no_damage_goes_unnoticed(place: int, value: int) -> None:
    data = GOOD[:place] + bytes([value]) + GOOD[place + 1 :]
    with contextlib.suppress(InputError):
        assert np.array_equal(decode_png(data), PIXELS)
