"""One bit for each number."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from shoal.federate.codecs.wire import HEADER, checked, header, open_header, refuse

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Sign"]


@dataclass(frozen=True, slots=True)
class Sign:
    """The sign of each number and one scale, the mean of the absolute values.

    Notes
    -----
    Bytes: the header (codec 3, form 0), then

    ====== ===== ====================================================================================
    offset bytes meaning
    ====== ===== ====================================================================================
    6      4     scale, binary32, at least 0
    10     m     ceil(count / 8) bytes, number i at bit i % 8 of byte i // 8: 1 for -scale, 0 for scale;
                 unused bits 0
    ====== ===== ====================================================================================

    References
    ----------
    Karimireddy, Rebjock, Stich, Jaggi: Error Feedback Fixes SignSGD, ICML 2019, section 4: scaled sign.

    Examples
    --------
    >>> Sign().decode(Sign().encode([1.0, -3.0]), 2)
    array([ 2., -2.], dtype=float32)
    """

    code: ClassVar[int] = 3

    def encode(self, delta: ArrayLike, seed: int = 0) -> bytes:
        """Return the bytes that travel."""
        del seed
        row = checked(delta)
        # In float64: a sum of large float32 values could overflow.
        scale = np.float32(np.abs(row).mean(dtype=np.float64)) if row.size else np.float32(0)
        return (
            header(self.code, 0, row.size)
            + struct.pack("<f", scale)
            + np.packbits(row < 0, bitorder="little").tobytes()
        )

    def decode(self, payload: bytes, count: int) -> NDArray[np.float32]:
        """Return the numbers, shape (count,)."""
        form, data = open_header(payload, self.code, count)
        if form != 0 or len(payload) != self.size(count):
            refuse(f"form {form}, {len(payload)} bytes for {count} signs")
        scale = np.float32(struct.unpack_from("<f", data)[0])
        if not (np.isfinite(scale) and scale >= 0):
            refuse(f"the scale is {scale}")
        bits = np.unpackbits(np.frombuffer(data, np.uint8, offset=4), bitorder="little")
        if bits[count:].any():
            refuse("an unused bit is set")
        row: NDArray[np.float32] = np.where(bits[:count] == 1, -scale, scale)
        return row

    def size(self, count: int) -> int:
        """Return the bytes that `count` numbers take."""
        return HEADER + 4 + -(-count // 8)
