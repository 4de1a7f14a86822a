"""Files in the store, by their SHA-256."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from shoal.errors import InputError, StorageError, UnknownError

if TYPE_CHECKING:
    import sqlite3

__all__ = ["LARGEST", "exists", "read", "write"]

LARGEST = 500_000_000  # bytes; SQLite takes no row of more than 1e9


def write(connection: sqlite3.Connection, sha256: str, content: bytes) -> None:
    """Store a file where it is not there yet."""
    if len(content) > LARGEST:
        raise InputError(f"a file of {len(content):,} bytes, at most {LARGEST:,} can be stored", where=sha256)
    if not exists(connection, sha256):
        connection.execute("INSERT INTO blobs VALUES (?,?)", (sha256, content))


def exists(connection: sqlite3.Connection, sha256: str) -> bool:
    """Whether a file is there."""
    return connection.execute("SELECT 1 FROM blobs WHERE sha256 = ?", (sha256,)).fetchone() is not None


def read(connection: sqlite3.Connection, sha256: str, where: str) -> bytes:
    """Return a file after a look at its digest.

    Raises
    ------
    UnknownError
        Where it is not there.
    StorageError
        Where it is damaged.
    """
    row = connection.execute("SELECT content FROM blobs WHERE sha256 = ?", (sha256,)).fetchone()
    if row is None:
        raise UnknownError(f"no file with the SHA-256 {sha256}", where=where)
    content: bytes = row[0]
    if hashlib.sha256(content).hexdigest() != sha256:
        raise StorageError(
            f"the file {sha256} is damaged",
            where=where,
            hint="shoal catalog restore BACKUP, or add the file again",
        )
    return content
