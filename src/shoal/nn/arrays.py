"""The parameter arrays of a network by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from shoal.nn.shapes import Shape

__all__ = ["Arrays", "checked", "checked_as"]


class Arrays(Mapping[str, "NDArray[Any]"]):
    """Name to array, in order; names, shapes and types are fixed, the values are free.

    Parameters are float32; those of a quantized layer int8 or uint8 weights, int32 bias, float32 scales.

    Examples
    --------
    >>> from shoal import nn
    >>> net = nn.Network([nn.Dense(2)], input_shape=(3,))
    >>> net.arrays["dense_1.bias"] = [1.0, 2.0]
    >>> net.arrays["dense_1.bias"]
    array([1., 2.], dtype=float32)
    """

    __slots__ = ("_arrays",)

    def __init__(self, arrays: dict[str, NDArray[Any]]) -> None:
        self._arrays = arrays

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._arrays[name]

    def __setitem__(self, name: str, values: ArrayLike) -> None:
        if name not in self._arrays:
            raise InputError(f"no array {name!r}", where="arrays", hint=", ".join(self._arrays) or None)
        array = self._arrays[name]
        array[...] = checked_as(array.dtype.name, values, array.shape, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        return "Arrays(" + ", ".join(f"{name}: {array.shape}" for name, array in self._arrays.items()) + ")"


def checked_as(dtype: str, values: ArrayLike, shape: Shape, name: str) -> NDArray[Any]:
    """Return the values as float32 or as an integer type, where they have this shape and fit.

    Raises
    ------
    InputError
        Otherwise.
    """
    if dtype == "float32":
        return checked(values, shape, name)
    given = np.asarray(values)
    if given.dtype.kind not in "iu":
        raise InputError(f"dtype {given.dtype} instead of {dtype}", where=name)
    if given.shape != shape:
        raise InputError(f"shape {given.shape} instead of {shape}", where=name)
    limits = np.iinfo(dtype)
    if given.size and not (limits.min <= given.min() and given.max() <= limits.max):
        raise InputError(f"a value lies outside {dtype}", where=name)
    return given.astype(dtype, copy=False)


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
