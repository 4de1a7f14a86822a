"""Files in the store, by their SHA-256."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from shoal.errors import InputError, StorageError, UnknownError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

__all__ = ["LARGEST", "exists", "pieces", "read", "size", "write"]

LARGEST = 500_000_000  # bytes; SQLite takes no row of more than 1e9
# Bytes that are read at once. To find where a piece begins, SQLite looks at all pages of the file before it:
# smaller ones take longer in all.
PIECE = 2**20


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
        raise unknown(sha256, where)
    content: bytes = row[0]
    if hashlib.sha256(content).hexdigest() != sha256:
        raise damaged(sha256, where)
    return content


def size(connection: sqlite3.Connection, sha256: str, where: str) -> int:
    """Return the bytes of a file.

    Raises
    ------
    UnknownError
        Where it is not there.
    """
    row = connection.execute("SELECT length(content) FROM blobs WHERE sha256 = ?", (sha256,)).fetchone()
    if row is None:
        raise unknown(sha256, where)
    return int(row[0])


def pieces(
    reading: Callable[[], AbstractContextManager[sqlite3.Connection]], sha256: str, where: str
) -> Iterator[bytes]:
    """Yield a file piece by piece, the last after a look at the digest of all; raises as :func:`read`."""
    digest, place, whole = hashlib.sha256(), 0, False
    while not whole:
        with reading() as connection:
            row = connection.execute("SELECT rowid FROM blobs WHERE sha256 = ?", (sha256,)).fetchone()
            if row is None:
                raise unknown(sha256, where)
            with connection.blobopen("blobs", "content", row[0], readonly=True) as blob:
                blob.seek(place)
                piece = blob.read(PIECE)
                place = blob.tell()
                whole = place >= len(blob)
        digest.update(piece)
        if whole and digest.hexdigest() != sha256:
            raise damaged(sha256, where)
        yield piece


def unknown(sha256: str, where: str) -> UnknownError:
    return UnknownError(f"no file with the SHA-256 {sha256}", where=where)


def damaged(sha256: str, where: str) -> StorageError:
    return StorageError(
        f"the file {sha256} is damaged",
        where=where,
        hint="shoal catalog restore BACKUP, or add the file again",
    )
