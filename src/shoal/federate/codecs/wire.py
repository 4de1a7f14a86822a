"""What all codecs share: the header, and the three forms of a row of numbers.

An encoded update starts with six bytes:

====== ===== ==========================================================
offset bytes meaning
====== ===== ==========================================================
0      1     codec: 1 Dense, 2 TopP, 3 Sign
1      1     form of the values: 0 f32, 1 f16, 2 int8; of Sign 0; TopP
             adds 16 times the form of its places
2      4     numbers in the update, unsigned
====== ===== ==========================================================

A row of n values is 4n bytes of binary32 (f32), 2n of binary16 (f16), or for int8 the scale as binary32 and n
signed bytes q, each standing for q * scale. All numbers are little-endian.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias

import numpy as np

from shoal.datasets.random import uniform
from shoal.errors import DivergedError, InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "FORMS",
    "HEADER",
    "Values",
    "checked",
    "header",
    "open_header",
    "pack",
    "packed_size",
    "refuse",
    "unpack",
]

Values: TypeAlias = Literal["f32", "f16", "int8"]

HEADER = 6
FORMS: dict[Values, int] = {"f32": 0, "f16": 1, "int8": 2}
LARGEST_HALF = np.float32(65504)
ROUNDING = 1 << 33


def checked(delta: ArrayLike) -> NDArray[np.float32]:
    """Return an update as a row of float32, if all of it is finite.

    Raises
    ------
    DivergedError
        Where it is not.
    """
    row = np.ascontiguousarray(delta, np.float32).reshape(-1)
    finite = np.isfinite(row)
    if not finite.all():
        bad = int(finite.argmin())
        raise DivergedError(f"value {bad} of the update is {row[bad]}", where="encode")
    return row


def header(codec: int, form: int, count: int) -> bytes:
    """Return the first six bytes."""
    return struct.pack("<BBI", codec, form, count)


def open_header(payload: bytes, codec: int, count: int) -> tuple[int, bytes]:
    """Check the first six bytes; return the form and the rest."""
    if len(payload) < HEADER:
        refuse(f"{len(payload)} bytes are no update")
    found, form, numbers = struct.unpack_from("<BBI", payload)
    if found != codec:
        refuse(f"codec {found} instead of {codec}")
    if numbers != count:
        refuse(f"{numbers} values instead of {count}")
    return form, payload[HEADER:]


def packed_size(count: int, values: Values) -> int:
    """Return the bytes of a row of values."""
    return {"f32": 4 * count, "f16": 2 * count, "int8": 4 + count}[values]


def pack(row: NDArray[np.float32], values: Values, seed: int) -> bytes:
    """Return the bytes of a row.

    Parameters
    ----------
    row
        Finite, shape (n,).
    values
        "f16" rounds to the nearest and holds at most 65504; "int8" rounds up or down at random, so that the
        mean of many is right: q = floor(row / scale + u), u uniform in [0, 1), scale = max |row| / 127 (QSGD:
        Alistarh et al., NeurIPS 2017, section 3.1).
    seed
        Draws u.
    """
    if values == "f32":
        return row.astype("<f4").tobytes()
    if values == "f16":
        return np.clip(row, -LARGEST_HALF, LARGEST_HALF).astype("<f2").tobytes()
    scale = np.float32(np.abs(row).max(initial=0) / np.float32(127))
    with np.errstate(over="ignore"):
        if not np.isfinite(scale * np.float32(127)):
            scale = np.nextafter(scale, np.float32(0))
    if scale == 0:
        return bytes(4 + row.size)
    u = uniform(seed, np.zeros(1, np.uint64), ROUNDING, row.size)[0]
    q = np.clip(np.floor(row.astype(np.float64) / scale + u), -127, 127)
    steps: bytes = q.astype(np.int8).tobytes()
    return struct.pack("<f", scale) + steps


def unpack(data: bytes, count: int, values: Values) -> NDArray[np.float32]:
    """Return the row of these bytes; all of them, and all finite, or an InputError."""
    if len(data) != packed_size(count, values):
        refuse(f"{len(data)} bytes for {count} values of {values}")
    if values == "int8":
        scale = np.float32(struct.unpack_from("<f", data)[0])
        if not np.isfinite(scale):
            refuse(f"the scale is {scale}")
        with np.errstate(over="ignore"):
            row = np.frombuffer(data, np.int8, offset=4).astype(np.float32) * scale
    else:
        row = np.frombuffer(data, {"f32": "<f4", "f16": "<f2"}[values]).astype(np.float32)
    if not np.isfinite(row).all():
        refuse("a value is not finite")
    return row


def refuse(what: str) -> NoReturn:
    """Say what is wrong with an update."""
    raise InputError(f"damaged update: {what}", where="decode")
