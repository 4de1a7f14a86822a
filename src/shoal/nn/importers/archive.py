"""Reads the files in a zip archive, whatever its directory claims of their sizes."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any

from shoal.nn.importers.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Archive", "described"]

LARGEST = 1 << 29
MOST_FILES = 1 << 16
BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, OSError)


class Archive:
    """The files of a zip archive by name.

    Parameters
    ----------
    content
        The archive's bytes.
    """

    def __init__(self, content: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(BytesIO(content))
        except (*BROKEN, ValueError):
            raise ModelError("not a zip archive, or cut short") from None
        self.names = self._zip.namelist()
        if len(self.names) > MOST_FILES:
            raise ModelError(f"an archive of {len(self.names):,} files")

    def read(self, name: str) -> bytes:
        """Return the content of one file.

        Raises
        ------
        ModelError
            Where there is none of this name, or it is damaged or larger than a model can be.
        """
        if name not in self.names:
            raise ModelError(f"no file {name!r} in the archive")
        try:
            with self._zip.open(name) as file:
                content = file.read(LARGEST + 1)
        except (*BROKEN, ValueError) as error:
            raise ModelError(f"{name!r} in the archive is damaged: {error}") from None
        if len(content) > LARGEST:
            raise ModelError(f"{name!r} in the archive has more than {LARGEST:,} bytes")
        return content

    def json(self, name: str) -> dict[str, Any]:
        """Return the object in one JSON file."""
        try:
            value = json.loads(self.read(name))
        except (ValueError, RecursionError) as error:
            if isinstance(error, ModelError):
                raise
            raise ModelError(f"{name!r} in the archive is not JSON") from None
        if not isinstance(value, dict):
            raise ModelError(f"{name!r} in the archive holds no object")
        return value


def described(value: object, *path: str | int | Sequence[str]) -> Any:
    """Return what lies at a path of keys and numbers inside a JSON value, None where there is nothing.

    Examples
    --------
    >>> described({"layers": [{"name": "conv"}]}, "layers", 0, "name")
    'conv'
    """
    for key in path:
        if isinstance(key, str) and isinstance(value, dict):
            value = value.get(key)
        elif isinstance(key, int) and isinstance(value, list) and -len(value) <= key < len(value):
            value = value[key]
        else:
            return None
    return value
