"""The parameter arrays of a network by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from shoal.nn.shapes import Shape

__all__ = ["Arrays", "checked"]


class Arrays(Mapping[str, "NDArray[np.float32]"]):
    """Name to float32 array, in order; the names and shapes are fixed, the values are free.

    Examples
    --------
    >>> from shoal import nn
    >>> net = nn.Network([nn.Dense(2)], input_shape=(3,))
    >>> net.arrays["dense_1.bias"] = [1.0, 2.0]
    >>> net.arrays["dense_1.bias"]
    array([1., 2.], dtype=float32)
    """

    __slots__ = ("_arrays",)

    def __init__(self, arrays: dict[str, NDArray[np.float32]]) -> None:
        self._arrays = arrays

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        return self._arrays[name]

    def __setitem__(self, name: str, values: ArrayLike) -> None:
        if name not in self._arrays:
            raise InputError(f"no array {name!r}", where="arrays", hint=", ".join(self._arrays) or None)
        self._arrays[name][...] = checked(values, self._arrays[name].shape, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        return "Arrays(" + ", ".join(f"{name}: {array.shape}" for name, array in self._arrays.items()) + ")"


def checked(values: ArrayLike, shape: Shape, name: str) -> NDArray[np.float32]:
    """Return the values as float32 where they have this shape and are finite.

    Raises
    ------
    InputError
        Otherwise.
    """
    try:
        given = np.asarray(values)
    except ValueError:
        raise InputError("not an array: its rows differ in length", where=name) from None
    if given.dtype.kind not in "fiu":
        raise InputError(
            f"dtype {given.dtype} instead of float32", where=name, hint="array.astype(np.float32)"
        )
    if given.shape != shape:
        raise InputError(f"shape {given.shape} instead of {shape}", where=name)
    with np.errstate(over="ignore"):
        array = given.astype(np.float32, copy=False)
    if not np.isfinite(array).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InputError(f"value {given[index]} at {index} is not a finite float32", where=name)
    return array
