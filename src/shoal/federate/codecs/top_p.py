"""The largest share of the numbers and where they belong."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from shoal.federate import check
from shoal.federate.codecs.wire import (
    FORMS,
    HEADER,
    Values,
    checked,
    header,
    open_header,
    pack,
    packed_size,
    refuse,
    unpack,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["TopP"]

BITMAP, LIST16, LIST32 = 0, 1, 2


@dataclass(frozen=True, slots=True)
class TopP:
    """The numbers of largest absolute value; the others arrive as 0.

    Parameters
    ----------
    p
        Share of the numbers that travels, above 0 to 1: the nearest whole number of them, at least one. Of
        equal absolute values the first ones travel.
    values
        Form of the values, as for `Dense`.

    Notes
    -----
    Bytes: the header (codec 2), then

    ====== ===== ================================================================================
    offset bytes meaning
    ====== ===== ================================================================================
    6      4     k, how many values follow, unsigned
    10     m     their places, ascending. Form 0: a bitmap of ceil(count / 8) bytes, place i at bit
                 i % 8 of byte i // 8, unused bits 0. Form 1: k unsigned 16-bit numbers. Form 2: k
                 unsigned 32-bit numbers. The smallest is used; form 1 only where count <= 65536.
    10 + m       k values, in the order of their places
    ====== ===== ================================================================================

    References
    ----------
    Aji, Heafield: Sparse Communication for Distributed Gradient Descent, EMNLP 2017, algorithm 1. The share
    of an update that is sent by TinyMetaFed (Ren, Li, Anicic, Runkler, 2023).

    Examples
    --------
    >>> codec = TopP(0.5)
    >>> codec.decode(codec.encode([1.0, -4.0, 0.5, 2.0]), 4)
    array([ 0., -4.,  0.,  2.], dtype=float32)
    """

    code: ClassVar[int] = 2

    p: float
    values: Values = "f32"

    def __post_init__(self) -> None:
        check.share(self.p, "p", above=0)
        check.one_of(self.values, "values", FORMS)

    def encode(self, delta: ArrayLike, seed: int = 0) -> bytes:
        """Return the bytes that travel."""
        row = checked(delta)
        kept = self.kept(row.size)
        places = largest(row, kept)
        form = places_form(row.size, kept)
        if form == BITMAP:
            marks = np.zeros(row.size, np.bool_)
            marks[places] = True
            packed = np.packbits(marks, bitorder="little").tobytes()
        else:
            packed = places.astype("<u2" if form == LIST16 else "<u4").tobytes()
        head = header(self.code, FORMS[self.values] + 16 * form, row.size) + struct.pack("<I", kept)
        return head + packed + pack(row[places], self.values, seed)

    def decode(self, payload: bytes, count: int) -> NDArray[np.float32]:
        """Return the numbers, shape (count,)."""
        form, data = open_header(payload, self.code, count)
        kept = self.kept(count)
        expected = places_form(count, kept)
        if form != FORMS[self.values] + 16 * expected:
            refuse(f"form {form} instead of {FORMS[self.values] + 16 * expected}")
        if data[:4] != struct.pack("<I", kept) or len(payload) != self.size(count):
            refuse(f"not {kept} of {count} values in {len(payload)} bytes")
        end = 4 + places_size(count, kept, expected)
        places = read_places(data[4:end], count, kept, expected)
        row = np.zeros(count, np.float32)
        row[places] = unpack(data[end:], kept, self.values)
        return row

    def size(self, count: int) -> int:
        """Return the bytes that `count` numbers take."""
        kept = self.kept(count)
        return (
            HEADER + 4 + places_size(count, kept, places_form(count, kept)) + packed_size(kept, self.values)
        )

    def kept(self, count: int) -> int:
        """Return how many of `count` numbers travel."""
        return min(count, max(1, round(self.p * count)))


def largest(row: NDArray[np.float32], kept: int) -> NDArray[np.intp]:
    """Return the places of the `kept` largest absolute values, ascending; of equal ones the first."""
    if kept == row.size:
        return np.arange(row.size)
    size = np.abs(row)
    threshold = np.partition(size, row.size - kept)[row.size - kept]
    above = np.flatnonzero(size > threshold)
    equal = np.flatnonzero(size == threshold)[: kept - above.size]
    return np.sort(np.concatenate([above, equal]))


def places_size(count: int, kept: int, form: int) -> int:
    """Return the bytes of the places."""
    return {BITMAP: -(-count // 8), LIST16: 2 * kept, LIST32: 4 * kept}[form]


def places_form(count: int, kept: int) -> int:
    """Return the smallest form of the places; of equal ones the first."""
    forms = (BITMAP, LIST16) if count <= 1 << 16 else (BITMAP, LIST32)
    return min(forms, key=lambda form: places_size(count, kept, form))


def read_places(data: bytes, count: int, kept: int, form: int) -> NDArray[np.intp]:
    """Return the places, checked: `kept` of them, ascending, below `count`."""
    if form == BITMAP:
        places = np.flatnonzero(np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little"))
    else:
        places = np.frombuffer(data, "<u2" if form == LIST16 else "<u4").astype(np.intp)
    if places.size != kept or (kept and places[-1] >= count) or np.any(places[1:] <= places[:-1]):
        refuse("the places are not in order or too many")
    return places
