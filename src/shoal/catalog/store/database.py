"""Connections to the file: one that writes, as many that read as there are readers."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from shoal.catalog.store.schema import APPLICATION, TABLES, VERSION
from shoal.errors import ConflictError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Database", "in_use", "translated"]

HINTS = {
    sqlite3.SQLITE_FULL: "the disk is full: make room and try again",
    sqlite3.SQLITE_IOERR: "make room on the disk, or look whether it fails",
    sqlite3.SQLITE_READONLY: "look at the permissions of the file and of its folder",
    sqlite3.SQLITE_CANTOPEN: "look at the path, and at the permissions of its folder",
    sqlite3.SQLITE_PERM: "look at the permissions of the file and of its folder",
    sqlite3.SQLITE_BUSY: "another process has been writing for too long; try again",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: shoal catalog restore BACKUP",
    sqlite3.SQLITE_NOTADB: "another file, or: shoal catalog restore BACKUP",
}


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn errors of SQLite into those of the project."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        hint = None if code is None else HINTS.get(code & 0xFF)
        what = "not a catalog" if code == sqlite3.SQLITE_NOTADB else "the catalog's file"
        raise StorageError(f"{what}: {error}", where=where, hint=hint) from error


class Database:
    """An open file.

    Parameters
    ----------
    path
        Made where it does not exist; None: in memory.
    read_only
        Refuse to write; the file must exist.
    timeout
        Seconds to wait for other processes that write.

    Raises
    ------
    StorageError
        Where it cannot be opened, or is no catalog of a format that is known.
    """

    def __init__(self, path: Path | None, *, read_only: bool = False, timeout: float = 60.0) -> None:
        self.path = path
        self.where = "memory" if path is None else str(path)
        self.read_only = read_only
        self.timeout = timeout
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._depth = 0
        self._begun = self._undone = 0
        self._owner: int | None = None
        self._idle: list[sqlite3.Connection] = []
        self.closed = False
        if read_only and (path is None or not path.exists()):
            raise StorageError("no such catalog", where=self.where)
        with translated(self.where):
            self._writer = self._connect(cache=64)
            try:
                self._prepare()
            except BaseException:
                self._writer.close()
                raise

    def close(self) -> None:
        """Close the file; it cannot be used any more."""
        with self._lock:
            self.closed = True
            while self._idle:
                self._idle.pop().close()
            self._writer.close()

    @property
    def writing(self) -> bool:
        """Whether the thread that asks is in a transaction."""
        return self._owner == threading.get_ident()

    @property
    def transaction(self) -> tuple[int, int] | None:
        """What tells a transaction, as long as nothing in it was undone, from others; None outside of one."""
        return (self._begun, self._undone) if self.writing else None

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give a connection to read from; within a transaction it sees what that wrote."""
        self._check_open()
        if self.path is None or self.writing:
            with self._lock, translated(self.where):
                yield self._writer
            return
        with translated(self.where):
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._connect(cache=8)
            try:
                yield connection
            finally:
                if self.closed:
                    connection.close()
                else:
                    self._idle.append(connection)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give the connection that writes, in a transaction: all of it is stored in the end, or nothing.

        One within another is a part of it: where it fails, only the part is undone.
        """
        self._check_writable()
        with self._lock, translated(self.where):
            self._check_whole()
            part = f"part{self._depth}"
            begin, end, undo = (
                (f"SAVEPOINT {part}", f"RELEASE {part}", (f"ROLLBACK TO {part}", f"RELEASE {part}"))
                if self._depth
                else ("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
            )
            self._begun += not self._depth
            self._depth += 1
            self._owner = threading.get_ident()
            try:
                self._writer.execute(begin)
                yield self._writer
                self._check_whole()
                self._writer.execute(end)
            except BaseException:
                self._undone += 1
                with suppress(sqlite3.Error):
                    for statement in undo:
                        self._writer.execute(statement)
                raise
            finally:
                self._depth -= 1
                if not self._depth:
                    self._owner = None

    @contextmanager
    def alone(self) -> Iterator[sqlite3.Connection]:
        """Give the connection that writes, outside of any transaction.

        Raises
        ------
        ConflictError
            Where one goes on in this process.
        """
        self._check_writable()
        if not self._lock.acquire(blocking=False):
            raise in_use(self.where)
        try:
            if self._depth:
                raise in_use(self.where)
            with translated(self.where):
                yield self._writer
        finally:
            self._lock.release()

    def _check_writable(self) -> None:
        self._check_open()
        if self.read_only:
            raise StorageError("the catalog is open for reading only", where=self.where)

    def _check_whole(self) -> None:
        """Refuse to go on where a part failed so badly that SQLite undid all of the transaction.

        It does so on a full disk, for instance. What came before the part is gone too, whoever caught the
        error.
        """
        if self._depth and not self._writer.in_transaction:
            raise StorageError("the transaction was undone: an error in a part was too bad", where=self.where)

    def _check_open(self) -> None:
        if self.closed:
            raise StorageError("the catalog is closed", where=self.where)
        if os.getpid() != self._process:
            # Connections may not be shared with a child process: SQLite's locks belong to the parent.
            raise StorageError(
                "the catalog was opened by another process", where=self.where, hint="open it again"
            )

    def _connect(self, cache: int) -> sqlite3.Connection:
        """Open a connection with a cache of so many MiB."""
        connection = sqlite3.connect(
            ":memory:" if self.path is None else self.path,
            timeout=self.timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = {-1024 * cache}")
        connection.execute("PRAGMA cell_size_check = ON")
        if self.read_only:
            connection.execute("PRAGMA query_only = ON")
        return connection

    def _prepare(self) -> None:
        """Make the tables of a new file, refuse one that is no catalog."""
        if self.read_only:
            self._check_format()
            return
        if self._is_new():
            self._use_log()
            self._writer.execute("BEGIN IMMEDIATE")
            if self._is_new():  # still, now that nobody else writes
                for table in TABLES:
                    self._writer.execute(table)
                self._writer.execute(f"PRAGMA application_id = {APPLICATION}")
                self._writer.execute(f"PRAGMA user_version = {VERSION}")
            self._writer.execute("COMMIT")
        self._check_format()
        self._use_log()

    def _is_new(self) -> bool:
        return not (
            self._pragma("application_id") or self._pragma("user_version") or self._pragma("schema_version")
        )

    def _use_log(self) -> None:
        """Switch to a write-ahead log; who else opens the file for the first time now must wait for it."""
        deadline = time.monotonic() + self.timeout
        while True:
            try:
                self._writer.execute("PRAGMA journal_mode = WAL")
                self._writer.execute(f"PRAGMA journal_size_limit = {64 * 2**20}")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _check_format(self) -> None:
        application, version = self._pragma("application_id"), self._pragma("user_version")
        if application != APPLICATION:
            raise StorageError(
                "not a catalog: a database of another program", where=self.where, hint="another file"
            )
        if version > VERSION:
            raise StorageError(
                f"a catalog of format {version}, this release reads up to {VERSION}",
                where=self.where,
                hint="pip install --upgrade shoal",
            )

        # A file from elsewhere must not bring programs of its own.
        query = "SELECT sql FROM sqlite_master WHERE type IN ('trigger', 'view')"
        if not {sql for (sql,) in self._writer.execute(query)} <= set(TABLES):
            raise StorageError(
                "not a catalog: it holds triggers or views that no catalog has", where=self.where
            )

    def _pragma(self, name: str) -> int:
        value: int = self._writer.execute(f"PRAGMA {name}").fetchone()[0]
        return value


def in_use(where: str) -> ConflictError:
    """Return the error of what can be done only while nobody writes."""
    return ConflictError("somebody writes", where=where, hint="when nobody does")
