"""Every number, in 4, 2 or 1 bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

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
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Dense"]


@dataclass(frozen=True, slots=True)
class Dense:
    """Every number.

    Parameters
    ----------
    values
        "f32" is exact; "f16" rounds to the nearest; "int8" to 255 steps, up or down at random.

    Notes
    -----
    Bytes: the header (codec 1), then the values:

    ============== ================== =====================
    form           from byte 6        size
    ============== ================== =====================
    0 f32          binary32           6 + 4 * count
    1 f16          binary16           6 + 2 * count
    2 int8         scale, signed byte 6 + 4 + count
    ============== ================== =====================

    Examples
    --------
    >>> Dense().encode([1.0, -2.0]).hex(" ")
    '01 00 02 00 00 00 00 00 80 3f 00 00 00 c0'
    >>> Dense("int8").decode(Dense("int8").encode([1.0, -2.0]), 2)[1]
    np.float32(-2.0)
    """

    code: ClassVar[int] = 1

    values: Values = "f32"

    def __post_init__(self) -> None:
        check.one_of(self.values, "values", FORMS)

    def encode(self, delta: ArrayLike, seed: int = 0) -> bytes:
        """Return the bytes that travel."""
        row = checked(delta)
        return header(self.code, FORMS[self.values], row.size) + pack(row, self.values, seed)

    def decode(self, payload: bytes, count: int) -> NDArray[np.float32]:
        """Return the numbers, shape (count,)."""
        form, data = open_header(payload, self.code, count)
        if form != FORMS[self.values]:
            refuse(f"form {form} instead of {FORMS[self.values]}")
        return unpack(data, count, self.values)

    def size(self, count: int) -> int:
        """Return the bytes that `count` numbers take."""
        return HEADER + packed_size(count, self.values)
