"""Named arrays and text in one file, in the safetensors format, which common viewers open.

8 bytes with the length of the header, the header as JSON, then the arrays. Reading is total: whatever the
bytes, the answer is their content or a StateError. Writing is atomic: the old file stays until the new one is
complete.
"""

from __future__ import annotations

import json
import math
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from shoal.errors import StateError, StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["decode", "encode", "read", "write"]

LONGEST_HEADER = 100_000_000
CODES = {"float32": "F32", "int32": "I32", "int16": "I16", "int8": "I8", "uint8": "U8"}


def encode(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> bytes:
    """Return the file's bytes.

    Parameters
    ----------
    arrays
        float32, int32, int16, int8 or uint8, by name.
    metadata
        Text by name.
    """
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    end = 0
    for name, array in arrays.items():
        start, end = end, end + array.nbytes
        code, shape = CODES[array.dtype.name], list(array.shape)
        header[name] = {"dtype": code, "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 8)
    data = (array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes() for array in arrays.values())
    return b"".join([len(text).to_bytes(8, "little"), text, *data])


def decode(content: bytes, where: str) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return the arrays and the metadata.

    Parameters
    ----------
    content
        The file's bytes.
    where
        Name of the file, for the error.

    Raises
    ------
    StateError
        Where the bytes are not a safetensors file of such arrays without gaps.
    """
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(len(content) - 8, LONGEST_HEADER):
        raise StateError("not a safetensors file, or cut short", where=where)
    try:
        header = json.loads(content[8 : 8 + length].decode())
    except (ValueError, RecursionError):
        raise StateError("the header is not JSON", where=where) from None
    if not isinstance(header, dict):
        raise StateError("the header is no object", where=where)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise StateError("the metadata is not text", where=where)
    data = memoryview(content)[8 + length :]
    arrays: dict[str, NDArray[Any]] = {}
    expected = 0
    for name, entry in header.items():
        dtype, shape, start, end = checked_entry(name, entry, where)
        if start != expected or end > len(data):
            raise StateError(f"array {name!r} lies outside the data or leaves a gap", where=where)
        arrays[name] = np.frombuffer(data[start:end], dtype.newbyteorder("<")).astype(dtype).reshape(shape)
        expected = end
    if expected != len(data):
        raise StateError(f"{len(data) - expected} bytes too many at the end", where=where)
    return arrays, metadata


def checked_entry(name: str, entry: object, where: str) -> tuple[np.dtype[Any], tuple[int, ...], int, int]:
    """Return type, shape, start and end of one array in the header."""
    if not isinstance(entry, dict) or entry.get("dtype") not in CODES.values():
        raise StateError(f"array {name!r} is not {', '.join(CODES)}", where=where)
    dtype = np.dtype(next(kind for kind, code in CODES.items() if code == entry["dtype"]))
    shape, offsets = entry.get("shape"), entry.get("data_offsets")
    if not (is_sizes(shape) and is_sizes(offsets) and len(shape) <= 8 and len(offsets) == 2):
        raise StateError(f"array {name!r} has no sound shape", where=where)
    start, end = offsets
    if end - start != dtype.itemsize * math.prod(shape):
        raise StateError(f"array {name!r} has {end - start} bytes for the shape {tuple(shape)}", where=where)
    return dtype, tuple(shape), start, end


def is_sizes(value: object) -> TypeGuard[list[int]]:
    """Tell whether a value is a list of integers of at least 0."""
    return isinstance(value, list) and all(type(size) is int and 0 <= size < 1 << 48 for size in value)


def read(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a file.

    Raises
    ------
    StorageError
        Where it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise StorageError(f"cannot read: {error.strerror}", where=os.fspath(path)) from error


def write(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file at once: after a crash it holds the old content or the new.

    Raises
    ------
    StorageError
        Where it cannot be written; the old content is then still there.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise StorageError(f"cannot write: {error.strerror}", where=os.fspath(path)) from error


def sync_folder(folder: Path) -> None:
    """Make a renamed file last, where folders can be synchronised."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
