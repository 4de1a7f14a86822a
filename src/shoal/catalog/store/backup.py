"""Copies of the file."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from shoal.catalog.store import check, log
from shoal.catalog.store.database import Database, translated
from shoal.catalog.store.schema import APPLICATION
from shoal.errors import ConflictError, StorageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["backup", "restore"]


def backup(database: Database, path: Path) -> None:
    """Copy a database into a file: at once or not at all, while others write.

    Raises
    ------
    ConflictError
        Where there is a file that is no older backup of this catalog.
    StorageError
        Where it cannot be written.
    """
    check_replaceable(database, path)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with database.read() as connection, translated(str(path)), closing(sqlite3.connect(partial)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # all of it in one file
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
        sync_folder(path)
    except OSError as error:
        raise StorageError(f"cannot write the backup: {error}", where=str(path)) from error
    finally:
        partial.unlink(missing_ok=True)


def restore(source: Path, path: Path) -> None:
    """Make a catalog of a backup that checks clean.

    Raises
    ------
    ConflictError
        Where there is a file already.
    StorageError
        Where the backup is damaged, or cannot be copied.
    """
    for there in (path, path.with_name(f"{path.name}-wal")):
        if there.exists():
            raise ConflictError(
                "there is a file already", where=str(there), hint="move it away, or another name"
            )
    original = Database(source, read_only=True)
    try:
        with original.read() as connection:
            found = check.problems(connection)
        if found:
            raise StorageError(
                f"the backup is damaged: {found[0]}", where=str(source), hint="an older backup"
            )
        backup(original, path)
    finally:
        original.close()


def check_replaceable(database: Database, path: Path) -> None:
    """Check that a file is not there, or is an older backup of this catalog."""
    if not path.exists():
        return
    if path.with_name(f"{path.name}-wal").exists():  # a catalog has it as long as somebody has it open
        raise ConflictError("a backup cannot be a catalog in use", where=str(path), hint="another name")
    try:
        with path.open("rb") as file:
            head = file.read(72)
    except OSError as error:
        raise StorageError(f"cannot read: {error.strerror}", where=str(path)) from error
    if head[:16] != b"SQLite format 3\0" or head[68:72] != APPLICATION.to_bytes(4, "big"):
        raise ConflictError("there is a file that is no backup", where=str(path), hint="another name")
    if not is_older(database, path):
        raise ConflictError("there is another catalog", where=str(path), hint="another name")


def is_older(database: Database, path: Path) -> bool:
    """Whether the log of a file is the beginning of that of a database."""
    try:
        other = Database(path, read_only=True)
    except StorageError:
        return False
    try:
        with other.read() as theirs, database.read() as ours:
            sequence = log.last(theirs)
            return log.checksum_at(theirs, sequence) == log.checksum_at(ours, sequence)
    except StorageError:
        return False
    finally:
        other.close()


def sync_folder(path: Path) -> None:
    """See to it that the name of a file is on the disk."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
