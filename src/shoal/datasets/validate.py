"""Checks at the door: arrays and counts that a task family can rely on afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import ConfigError, InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def count(value: object, name: str, minimum: int = 1) -> int:
    """Check a number of things: an integer of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < minimum:
        raise ConfigError(f"{name} is {value!r}", where=name, hint=f"an integer of at least {minimum}")
    return int(value)


def samples(x: ArrayLike, name: str = "x") -> NDArray[np.float32]:
    """Check inputs: (samples, *shape), finite; C-contiguous float32, copied only if it was not."""
    array = numeric(x, name)
    if array.ndim < 2:
        raise InputError(
            f"{name} has shape {array.shape}",
            where=name,
            hint="(samples, *input shape), for instance x.reshape(len(x), 1)",
        )
    return finite(array, name)


def labels(y: ArrayLike, length: int, name: str = "y") -> NDArray[np.int64]:
    """Check class numbers: (length,), integers, not negative."""
    array = numeric(y, name)
    if array.ndim != 1:
        raise InputError(f"{name} has shape {array.shape}", where=name, hint="one class number per sample")
    same_length(array, length, name)
    # The negation also catches NaN.
    bad = np.flatnonzero(~((array >= 0) & (array == np.floor(array)) & (array < 2**31)))
    if bad.size:
        raise InputError(
            f"{name}[{bad[0]}] is {array[bad[0]]}", where=name, hint="class numbers 0, 1, 2, ... below 2**31"
        )
    return array.astype(np.int64)


def targets(y: ArrayLike, length: int, name: str = "y") -> NDArray[np.float32]:
    """Check regression targets: (length,) or (length, outputs), finite; returns (length, outputs)."""
    array = numeric(y, name)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise InputError(f"{name} has shape {array.shape}", where=name, hint="(samples, outputs)")
    same_length(array, length, name)
    return finite(array, name)


def groups(group: ArrayLike, length: int, name: str = "group") -> NDArray[Any]:
    """Check group values: (length,) integers or strings."""
    array = np.asarray(group)
    if array.ndim != 1 or array.dtype.kind not in "iuU":
        raise InputError(
            f"{name} has shape {array.shape} and type {array.dtype}",
            where=name,
            hint="one integer or string per sample",
        )
    same_length(array, length, name)
    return array


def order(values: ArrayLike, length: int, name: str = "order") -> NDArray[Any]:
    """Check what to order samples by: (length,) numbers or datetimes, without gaps."""
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "iufM":
        raise InputError(
            f"{name} has shape {array.shape} and type {array.dtype}",
            where=name,
            hint="one number or datetime64 per sample",
        )
    same_length(array, length, name)
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        raise InputError(
            f"{name}[{bad[0]}] is {array[bad[0]]}", where=name, hint="remove samples without a time"
        )
    return array


def ids(values: ArrayLike, clients: int | None) -> NDArray[np.uint64]:
    """Check device ids: (n,) integers from 0, below `clients` where that is given."""
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise InputError(
            f"ids has shape {array.shape} and type {array.dtype}",
            where="ids",
            hint="np.arange(n, dtype=np.uint64)",
        )
    if array.size and array.dtype.kind == "i" and array.min() < 0:
        raise InputError(f"id {array.min()} is negative", where="ids", hint="ids start at 0")
    if clients is not None and array.size and array.max() >= clients:
        raise InputError(f"id {array.max()} does not exist", where="ids", hint=f"0 to {clients - 1}")
    return array.astype(np.uint64)


def numeric(values: ArrayLike, name: str) -> NDArray[Any]:
    """Check that an array holds real numbers, and at least one."""
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths
        raise InputError(f"{name} is ragged", where=name, hint="samples of one shape") from None
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name} has type {array.dtype}", where=name, hint="real numbers")
    if array.size == 0:
        raise InputError(f"{name} is empty: shape {array.shape}", where=name, hint="at least one sample")
    return array


def finite(array: NDArray[Any], name: str) -> NDArray[np.float32]:
    """Check that every element is a finite float32; returns C-contiguous float32."""
    with np.errstate(over="ignore"):
        result = np.ascontiguousarray(array, np.float32)
    good = np.isfinite(result)
    if not good.all():
        place = tuple(int(i) for i in np.unravel_index(int(np.argmin(good)), good.shape))
        raise InputError(
            f"{name}{list(place)} is {array[place]}", where=name, hint="finite values in the range of float32"
        )
    return result


def same_length(array: NDArray[Any], length: int, name: str) -> None:
    """Check that an array has one entry per sample."""
    if len(array) != length:
        raise InputError(f"{name} has {len(array)} entries for {length} samples", where=name)
