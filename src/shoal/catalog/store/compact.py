"""Files that nobody needs any more leave the store, and the space goes back to the disk."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.catalog.store.database import in_use

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.catalog.store.database import Database

__all__ = ["Compaction", "compact"]

# Files that no model of now has, and those that none ever had: the log remembers.
NOW = "'sha256:' || sha256 NOT IN (SELECT id FROM documents WHERE kind = 'model')"
EVER = "'sha256:' || sha256 NOT IN (SELECT id FROM events WHERE kind = 'model')"


@dataclass(frozen=True, slots=True)
class Compaction:
    """What became smaller.

    Parameters
    ----------
    removed
        Number of files that are gone.
    kept
        Number of files of removed models, which stay.
    kept_bytes
        Of these.
    before, after
        Bytes on the disk, 0 in memory.
    """

    removed: int
    kept: int
    kept_bytes: int
    before: int
    after: int


def compact(database: Database, *, removed: bool) -> Compaction:
    """Remove files that no model has, and give back what is free; other writers wait meanwhile.

    Parameters
    ----------
    removed
        Those of removed models too; else only such that never were a model's.

    Raises
    ------
    ConflictError
        Where somebody writes.
    StorageError
        Where there is no room for a second copy meanwhile.
    """
    before = size(database.path)
    with database.alone() as connection:
        begin(connection, database)
        try:
            gone = connection.execute(f"DELETE FROM blobs WHERE {NOW if removed else EVER}").rowcount
            query = f"SELECT count(*), coalesce(sum(length(content)), 0) FROM blobs WHERE {NOW}"
            kept, kept_bytes = connection.execute(query).fetchone()
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Compaction(gone, kept, kept_bytes, before, size(database.path))


def begin(connection: sqlite3.Connection, database: Database) -> None:
    """Begin to write if nobody else does."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        raise in_use(database.where) from None
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(1000 * database.timeout)}")


def size(path: Path | None) -> int:
    """Return the bytes of a catalog on the disk."""
    files = () if path is None else (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())
