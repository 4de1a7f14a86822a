"""The store: documents, their log, files and the caches of views."""

from __future__ import annotations

import hashlib
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from shoal.catalog.store import backup, blobs, check, compact, log, read, rules
from shoal.catalog.store.database import Database
from shoal.catalog.store.entries import Entry, encode
from shoal.catalog.store.subscribers import Subscribers
from shoal.errors import ConflictError, UnknownError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from shoal.catalog.store.compact import Compaction
    from shoal.catalog.store.entries import Event, Record

__all__ = ["Store"]


class Entered(Protocol):
    """What :meth:`Store.put_many` takes: an `Entry`, or a `Record` of another store."""

    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def body(self) -> Mapping[str, Any]: ...
    @property
    def expires(self) -> float | None: ...
    @property
    def registration(self) -> Mapping[str, Any] | None: ...


class Store:
    """A file with documents and the log of all their changes.

    What was acknowledged (the method returned) is on the disk. Threads and processes may read and write at
    the same time; a reader never waits.

    Parameters
    ----------
    path
        Made where it does not exist; None: in memory.
    read_only
        Refuse to write; the file must exist.
    clock
        Seconds since 1970.

    Raises
    ------
    StorageError
        From every method, where the file cannot be read or written, is damaged or is no catalog.

    Examples
    --------
    >>> with Store(None) as store:
    ...     first = store.put("board", "nano33ble", {"name": "nano33ble"})
    ...     again = store.put("board", "nano33ble", {"name": "nano33ble", "title": "Nano 33 BLE"})
    ...     again.action, store.get("board", "nano33ble").body["title"], store.revision
    ('updated', 'Nano 33 BLE', 2)
    """

    def __init__(
        self,
        path: Path | str | None,
        *,
        read_only: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = None if path is None else Path(path)
        self._database = Database(self.path, read_only=read_only)
        self._clock = clock
        self._subscribers = Subscribers(self.events, lambda: self.revision)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._database.closed

    @property
    def read_only(self) -> bool:
        """Whether it refuses to write."""
        return self._database.read_only

    @property
    def within(self) -> tuple[int, int] | None:
        """What tells the transaction that the thread is in from others; None outside of one.

        It changes when a part of the transaction is undone. Who follows the log needs it: within a
        transaction there are events that may never have been.
        """
        return self._database.transaction

    @property
    def revision(self) -> int:
        """Sequence number of the last event, 0 where there is none."""
        with self._database.read() as connection:
            return log.last(connection)

    def checksum_at(self, sequence: int) -> int | None:
        """Return the checksum of an event, None where there is no such event.

        It tells logs apart: two that have the same at a number are the same up to there.
        """
        with self._database.read() as connection:
            return log.checksum_at(connection, sequence)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Do several things at once or not at all; other writers wait meanwhile.

        An error that leaves the block undoes what was done in it. Gives the connection, for views that keep
        tables of their own in the file.

        Examples
        --------
        >>> store = Store(None)
        >>> with store.transaction():
        ...     event = store.put("board", "a", {"name": "a"})
        ...     event = store.put("board", "b", {"name": "b"})
        >>> store.count("board")
        2
        """
        with self._database.write() as connection:
            yield connection
        if not self._database.writing:
            self._subscribers.notify()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection to read from, for views that keep tables of their own in the file."""
        with self._database.read() as connection:
            yield connection

    def put(
        self,
        kind: str,
        id: str,
        body: Mapping[str, Any],
        *,
        expires: float | None = None,
        must: Literal["create", "replace"] | None = None,
        revision: int | None = None,
        actor: str = "",
        registration: Mapping[str, Any] | None = None,
    ) -> Event:
        """Store a document; one that is there already in the same form stays as it is.

        Parameters
        ----------
        expires
            When it may be purged, in seconds since 1970; None: never.
        must
            `create`: it may not exist; `replace`: it must.
        revision
            Its last event must have this number: nobody else changed it meanwhile.
        registration
            What a directory notes about it beside its body.

        Returns
        -------
        The event; where nothing changed, the document's last one.

        Raises
        ------
        ConflictError
            Where `must` or `revision` does not hold.
        DocumentError
            Where the body is not JSON.
        """
        entry = Entry(kind, id, body, expires, registration)
        with self.transaction() as connection:
            return self._put(connection, entry, must, revision, actor)

    def put_many(self, entries: Iterable[Entered], *, actor: str = "") -> list[Event]:
        """Store documents, all of them or none."""
        with self.transaction() as connection:
            return [self._put(connection, entry, None, None, actor) for entry in entries]

    def _put(
        self,
        connection: sqlite3.Connection,
        entry: Entered,
        must: str | None,
        revision: int | None,
        actor: str,
    ) -> Event:
        kind, id = entry.kind, entry.id
        where = f"{kind} '{id}'"
        rules.check_key(kind, id, actor)
        text = encode(entry.body, where)
        noted = None if entry.registration is None else encode(entry.registration, where)
        expires = rules.finite(entry.expires, where)
        old = read.get(connection, kind, id)
        rules.demand(where, old, must, revision)
        if old is not None and rules.same(old, text, expires, noted):
            return log.event(connection, old.revision)
        change = log.Change("created" if old is None else "updated", kind, id, text, expires, noted, actor)
        return log.append(connection, float(self._clock()), change, None if old is None else old.text)

    def remove(self, kind: str, id: str, *, revision: int | None = None, actor: str = "") -> Event:
        """Remove a document; its history stays.

        Raises
        ------
        UnknownError
            Where there is none.
        ConflictError
            Where its last event does not have the number `revision`.
        """
        with self.transaction() as connection:
            old = read.get(connection, kind, id)
            if old is None:
                raise UnknownError(f"no {kind} '{id}'", where=self._database.where)
            rules.demand(f"{kind} '{id}'", old, None, revision)
            rules.check_key(kind, id, actor)
            change = log.Change("deleted", kind, id, None, None, None, actor)
            return log.append(connection, float(self._clock()), change, old.text)

    def expired(self, now: float) -> list[tuple[str, str]]:
        """Return kind and id of the documents that expired by `now`, in seconds since 1970."""
        with self._database.read() as connection:
            return connection.execute(
                "SELECT kind, id FROM documents WHERE expires <= ? ORDER BY expires, kind, id", (now,)
            ).fetchall()

    def purge(self, now: float, *, actor: str = "") -> list[Event]:
        """Remove the documents that expired by `now`, in seconds since 1970; nothing is done about others.

        :meth:`shoal.catalog.Catalog.purge` also ends what refers to them.
        """
        with self.transaction():
            return [self.remove(kind, id, actor=actor) for kind, id in self.expired(now)]

    def get(self, kind: str, id: str) -> Record | None:
        """Return a document, None where there is none."""
        with self._database.read() as connection:
            return read.get(connection, kind, id)

    def records(
        self, kind: str, *, after: str | None = None, offset: int = 0, limit: int | None = None
    ) -> Iterator[Record]:
        """Return the documents of a kind in the order of their ids.

        Documents that are stored or removed meanwhile are seen or not; none is seen twice.

        Parameters
        ----------
        after
            Begin behind this id.
        offset
            Leave out so many.
        limit
            At most so many; None: all.
        """
        return read.records(self._database.read, kind, after, offset, limit)

    def ids(self, kind: str) -> list[str]:
        """Return the ids of a kind, sorted."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT id FROM documents WHERE kind = ? ORDER BY id", (kind,))
            return [id for (id,) in rows]

    def count(self, kind: str) -> int:
        """Return how many documents of a kind there are."""
        with self._database.read() as connection:
            row = connection.execute("SELECT count(*) FROM documents WHERE kind = ?", (kind,)).fetchone()
            return int(row[0])

    def kinds(self) -> dict[str, int]:
        """Return how many documents there are of each kind that has any."""
        with self._database.read() as connection:
            return dict(connection.execute("SELECT kind, count(*) FROM documents GROUP BY kind"))

    def events(
        self, after: int = 0, *, kinds: Collection[str] | None = None, limit: int | None = None
    ) -> Iterator[Event]:
        """Return the events behind a number, oldest first.

        Parameters
        ----------
        kinds
            Only those of documents of these kinds.
        limit
            At most so many.
        """
        return read.events(self._database.read, after, kinds, limit)

    def history(self, kind: str, id: str) -> list[Event]:
        """Return the events of one document, oldest first; also of one that is gone."""
        with self._database.read() as connection:
            return read.history(connection, kind, id)

    def subscribe(self, callback: Callable[[Sequence[Event]], None]) -> Callable[[], None]:
        """Call a function with the events of each transaction, in order, when it is on the disk.

        Those of other processes come with the next of this one, or when :meth:`poll` is called.

        Returns
        -------
        What ends the subscription.

        Raises
        ------
        ConflictError
            Within a transaction: what it wrote may yet be undone.
        """
        if self._database.writing:
            raise ConflictError(
                "subscribe within a transaction", where=self._database.where, hint="after the transaction"
            )
        return self._subscribers.add(callback)

    def poll(self) -> None:
        """Tell subscribers what other processes did since."""
        if not self._database.writing:
            self._subscribers.notify()

    def write_blob(self, content: bytes) -> str:
        """Store a file once; returns its SHA-256."""
        digest = hashlib.sha256(content).hexdigest()
        with self.transaction() as connection:
            blobs.write(connection, digest, content)
        return digest

    def read_blob(self, sha256: str) -> bytes:
        """Return a file by its SHA-256.

        Raises
        ------
        UnknownError
            Where there is none.
        StorageError
            Where its content is damaged.
        """
        with self._database.read() as connection:
            return blobs.read(connection, sha256, self._database.where)

    def blob_size(self, sha256: str) -> int:
        """Return the bytes of a file.

        Raises
        ------
        UnknownError
            Where there is none.
        """
        with self._database.read() as connection:
            return blobs.size(connection, sha256, self._database.where)

    def blob_pieces(self, sha256: str) -> Iterator[bytes]:
        """Yield a file piece by piece: one that is damaged fails before its last piece.

        Nothing is held between two pieces, however long the reader takes. Raises as :meth:`read_blob`.
        """
        return blobs.pieces(self._database.read, sha256, self._database.where)

    def view(self, name: str) -> tuple[int, bytes] | None:
        """Return what a view kept here, and the revision that it is of."""
        with self._database.read() as connection:
            row: tuple[int, bytes] | None = connection.execute(
                "SELECT revision, content FROM views WHERE name = ?", (name,)
            ).fetchone()
            return row

    def view_revision(self, name: str) -> int | None:
        """Return the revision of what a view kept here, None where it kept nothing."""
        with self._database.read() as connection:
            row = connection.execute("SELECT revision FROM views WHERE name = ?", (name,)).fetchone()
            return None if row is None else int(row[0])

    def set_view(self, name: str, revision: int, content: bytes = b"") -> None:
        """Keep something for a view: it may be lost, and is then computed again."""
        with self.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO views VALUES (?,?,?)", (name, revision, content))

    def backup(self, path: Path | str) -> None:
        """Copy everything into a new file while others write; an older backup there is replaced in the end.

        Raises
        ------
        ConflictError
            Where there is another file or another catalog.
        """
        backup.backup(self._database, Path(path))

    @staticmethod
    def restore(backup_path: Path | str, path: Path | str) -> None:
        """Make a catalog of a backup that checks clean.

        Raises
        ------
        StorageError
            Where the backup is damaged.
        ConflictError
            Where there is a file already.
        """
        backup.restore(Path(backup_path), Path(path))

    def check(self) -> list[str]:
        """Return what is wrong with the file, nothing where all is well."""
        with self._database.read() as connection:
            return check.problems(connection)

    def compact(self, *, removed: bool = False) -> Compaction:
        """Remove files that no model has, and give back what is free; documents and log stay as they are.

        Parameters
        ----------
        removed
            The files of removed models too; else only such that never were a model's.

        Raises
        ------
        ConflictError
            Where somebody writes.
        """
        return compact.compact(self._database, removed=removed)

    def rebuild(self) -> None:
        """Compute the documents anew from the log, and forget what views kept."""
        with self.transaction() as connection:
            check.rebuild(connection)
