"""The log: how an event is written, and what it means for the documents of now."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.catalog.store.entries import Event

if TYPE_CHECKING:
    import sqlite3

    from shoal.catalog.store.entries import Action

__all__ = ["Change", "append", "apply", "checksum", "checksum_at", "event", "last"]

EVENT = """SELECT e.sequence, e.at, e.action, e.kind, e.id, e.body,
        CASE e.action WHEN 'created' THEN NULL ELSE p.body END, e.actor
    FROM events e LEFT JOIN events p ON p.sequence = e.previous"""


def last(connection: sqlite3.Connection) -> int:
    """Return the sequence number of the last event, 0 where there is none."""
    number: int = connection.execute("SELECT coalesce(max(sequence), 0) FROM events").fetchone()[0]
    return number


def checksum_at(connection: sqlite3.Connection, sequence: int) -> int | None:
    """Return the checksum of an event, None where there is no such event."""
    found = connection.execute("SELECT checksum FROM events WHERE sequence = ?", (sequence,)).fetchone()
    return None if found is None else int(found[0])


def event(connection: sqlite3.Connection, sequence: int) -> Event:
    """Return an event by its number."""
    return Event(*connection.execute(f"{EVENT} WHERE e.sequence = ?", (sequence,)).fetchone())


def checksum(
    sequence: int,
    at: float,
    action: str,
    kind: str,
    id: str,
    body: str | None,
    previous: int | None,
    expires: float | None,
    registration: str | None,
    actor: str,
) -> int:
    """Return the CRC-32 of the columns of an event, in the order of the table.

    SQLite notices damage to its structure; this one notices damage to what is in it.
    """
    head = repr((sequence, at, action, kind, id, previous, expires, registration, actor, body is None))
    return zlib.crc32((body or "").encode(), zlib.crc32(head.encode()))


@dataclass(frozen=True, slots=True)
class Change:
    """An event that has no number yet."""

    action: Action
    kind: str
    id: str
    text: str | None
    expires: float | None
    registration: str | None
    actor: str


def append(connection: sqlite3.Connection, at: float, change: Change, before: str | None) -> Event:
    """Write an event and follow it in the documents.

    Parameters
    ----------
    before
        Text of the document until now.
    """
    sequence = last(connection) + 1
    action, kind, id, text = change.action, change.kind, change.id, change.text
    previous = head(connection, kind, id, departed=action == "created")
    columns = (
        sequence, at, action, kind, id, text, previous, change.expires, change.registration, change.actor
    )  # fmt: skip
    connection.execute("INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?)", (*columns, checksum(*columns)))
    apply(connection, "main", sequence, at, action, kind, id, previous, change.expires)
    return Event(sequence, at, action, kind, id, text, before, change.actor)


def head(connection: sqlite3.Connection, kind: str, id: str, *, departed: bool) -> int | None:
    """Return the last event of a document that is there, or of one that is gone; None where there is none."""
    table = "departed" if departed else "documents"
    found = connection.execute(
        f"SELECT revision FROM {table} WHERE kind = ? AND id = ?", (kind, id)
    ).fetchone()
    return None if found is None else found[0]


def apply(
    connection: sqlite3.Connection,
    schema: str,
    sequence: int,
    at: float,
    action: str,
    kind: str,
    id: str,
    previous: int | None,
    expires: float | None,
) -> None:
    """Follow one event in `documents` and `departed` of a schema: the fold that defines them."""
    if action == "created":
        connection.execute(
            f"INSERT INTO {schema}.documents VALUES (?,?,?,?,?)", (kind, id, sequence, at, expires)
        )
        if previous is not None:  # it comes back
            connection.execute(f"DELETE FROM {schema}.departed WHERE kind = ? AND id = ?", (kind, id))
    elif action == "updated":
        connection.execute(
            f"UPDATE {schema}.documents SET revision = ?, expires = ? WHERE kind = ? AND id = ?",
            (sequence, expires, kind, id),
        )
    else:
        connection.execute(f"DELETE FROM {schema}.documents WHERE kind = ? AND id = ?", (kind, id))
        connection.execute(f"INSERT INTO {schema}.departed VALUES (?,?,?)", (kind, id, sequence))
