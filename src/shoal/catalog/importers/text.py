"""Reading text files that may be anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import DocumentError, StorageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LIMIT", "head", "read"]

# Bytes of a file that describes many documents.
LIMIT = 32 * 2**20


def read(path: Path, limit: int = LIMIT) -> str:
    """Return the text of a file.

    Parameters
    ----------
    limit
        Bytes that it may have.

    Raises
    ------
    StorageError
        If it cannot be read.
    DocumentError
        If it is too long, or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise StorageError(f"cannot read: {error.strerror}", where=str(path)) from error
    if len(content) > limit:
        raise DocumentError.of("file", str(path), [("", f"more than {limit:,} bytes")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"byte {content[error.start]:#04x} is no UTF-8"
        raise DocumentError.of("file", f"{path}:{line}", [("", problem)]) from None


def head(path: Path, size: int = 65_536) -> str:
    """Return the beginning of a file, whatever it is."""
    try:
        with path.open("rb") as file:
            return file.read(size).decode("utf-8", "replace")
    except OSError as error:
        raise StorageError(f"cannot read: {error.strerror}", where=str(path)) from error
