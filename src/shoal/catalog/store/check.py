"""Is the file sound? And the documents anew from the log."""

from __future__ import annotations

import hashlib
import sqlite3
from itertools import islice
from typing import TYPE_CHECKING

from shoal.catalog.store import log
from shoal.catalog.store.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["problems", "rebuild"]

SHOWN = 20  # problems of one sort


def problems(connection: sqlite3.Connection) -> list[str]:
    """Return what is wrong: structure, log, documents, files."""
    found = [row[0] for row in connection.execute(f"PRAGMA integrity_check({SHOWN})") if row[0] != "ok"]
    if found:
        return [f"the file is damaged: {text}" for text in found]  # nothing below could be trusted
    (protected,) = connection.execute("PRAGMA query_only").fetchone()
    connection.execute("PRAGMA query_only = OFF")  # for temporary tables
    connection.execute("BEGIN")  # one view of the file, whoever writes meanwhile
    try:
        for part in (schema, events, documents, blobs):
            found += islice(part(connection), SHOWN)
    finally:
        connection.execute("ROLLBACK")
        connection.execute(f"PRAGMA query_only = {protected}")
    return found


def schema(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield each table or trigger of the store that is missing or different."""
    there = {row[0] for row in connection.execute("SELECT sql FROM main.sqlite_master WHERE sql IS NOT NULL")}
    for table in TABLES:
        if table not in there:
            yield f"missing or changed: {' '.join(table.split()[:3])}"


def events(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield each event that is missing or not as it was written."""
    expected = 1
    for *columns, checksum in connection.execute("SELECT * FROM events ORDER BY sequence"):
        if columns[0] != expected:
            yield f"events {expected} to {columns[0] - 1} are missing"
        expected = columns[0] + 1
        if log.checksum(*columns) != checksum:
            yield f"event {columns[0]} of {columns[3]} '{columns[4]}' is damaged: its checksum is wrong"


def documents(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield each document that is not what the log says."""
    try:
        fold(connection, "temp")
    except sqlite3.IntegrityError as error:
        yield f"the log contradicts itself: {error}"
        return
    for table in ("documents", "departed"):
        for ours, theirs, problem in (
            ("main", "temp", "not in the log"),
            ("temp", "main", "only in the log"),
        ):
            query = f"SELECT * FROM {ours}.{table} EXCEPT SELECT * FROM {theirs}.{table}"
            for kind, id, revision, *_ in connection.execute(query):
                yield f"{table}: {kind} '{id}' at revision {revision} is {problem} (shoal catalog rebuild)"


def blobs(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield each file whose content is not what its name says."""
    for sha256, content in connection.execute("SELECT sha256, content FROM blobs"):
        if hashlib.sha256(content).hexdigest() != sha256:
            yield f"the file {sha256} is damaged: its SHA-256 is wrong"


def fold(connection: sqlite3.Connection, into: str) -> None:
    """Compute `documents` and `departed` from the log, in empty tables of a schema."""
    if into == "temp":
        for table in TABLES:
            if table.startswith(("CREATE TABLE documents", "CREATE TABLE departed")):
                connection.execute(table.replace("CREATE TABLE ", "CREATE TABLE temp."))
    for row in connection.execute(
        "SELECT sequence, at, action, kind, id, previous, expires FROM events ORDER BY sequence"
    ):
        log.apply(connection, into, *row)


def rebuild(connection: sqlite3.Connection) -> None:
    """Compute `documents` and `departed` anew, and forget what views kept."""
    for table in ("documents", "departed", "views"):
        connection.execute(f"DELETE FROM {table}")
    fold(connection, "main")
