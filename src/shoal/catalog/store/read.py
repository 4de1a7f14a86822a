"""Documents and events as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.catalog.store import log
from shoal.catalog.store.entries import Event, Record

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterator
    from contextlib import AbstractContextManager

    Reading = Callable[[], AbstractContextManager[sqlite3.Connection]]

__all__ = ["events", "get", "history", "records"]

PAGE = 1000  # rows that are read at once: no reader holds the file for long
COLUMNS = "d.kind, d.id, e.body, d.revision, d.created, e.at, d.expires, e.registration"
RECORD = f"SELECT {COLUMNS} FROM documents d JOIN events e ON e.sequence = d.revision"


def get(connection: sqlite3.Connection, kind: str, id: str) -> Record | None:
    """Return a document, None where there is none."""
    row = connection.execute(f"{RECORD} WHERE d.kind = ? AND d.id = ?", (kind, id)).fetchone()
    return None if row is None else Record(*row)


def records(
    reading: Reading, kind: str, after: str | None, offset: int, limit: int | None
) -> Iterator[Record]:
    """Yield documents in the order of their ids, in portions."""
    query = f"""SELECT {COLUMNS}
        FROM (SELECT * FROM documents WHERE kind = ? AND id > ? ORDER BY id LIMIT ? OFFSET ?) d
        JOIN events e ON e.sequence = d.revision ORDER BY d.id"""
    place, left = "" if after is None else after, limit
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        with reading() as connection:
            rows = connection.execute(query, (kind, place, size, offset)).fetchall()
        for row in rows:
            yield Record(*row)
        if len(rows) < size:
            return
        place, offset = rows[-1][1], 0
        left = None if left is None else left - size


def events(reading: Reading, after: int, kinds: Collection[str] | None, limit: int | None) -> Iterator[Event]:
    """Yield events, oldest first, in portions."""
    wanted = () if kinds is None else tuple(sorted(kinds))
    chosen = "" if kinds is None else f"AND e.kind IN ({','.join('?' * len(wanted))})"
    query = f"{log.EVENT} WHERE e.sequence > ? {chosen} ORDER BY e.sequence LIMIT ?"
    left = limit
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        with reading() as connection:
            rows = connection.execute(query, (after, *wanted, size)).fetchall()
        for row in rows:
            yield Event(*row)
        if len(rows) < size:
            return
        after = rows[-1][0]
        left = None if left is None else left - size


def history(connection: sqlite3.Connection, kind: str, id: str) -> list[Event]:
    """Return the events of one document, oldest first; also of one that is gone."""
    heads = (log.head(connection, kind, id, departed=departed) for departed in (False, True))
    sequence = next((head for head in heads if head is not None), None)
    found = []
    while sequence is not None:
        found.append(log.event(connection, sequence))
        row = connection.execute("SELECT previous FROM events WHERE sequence = ?", (sequence,)).fetchone()
        sequence = row[0]
    return found[::-1]
