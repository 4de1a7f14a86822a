"""The full-text index: a view of the documents in the same file, made by SQLite's FTS5."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.catalog.search.fields import Fields, fields
from shoal.errors import StorageError

if TYPE_CHECKING:
    import sqlite3

    from shoal.catalog.store import Event, Store

__all__ = ["VIEW", "check", "follow", "held", "rebuild"]

VIEW = "search"
PORTION = 2000  # events in one transaction: other writers wait no longer than that takes

# `searched` gives each document its row in the index. The index stems English words: keywords finds keyword.
TABLES = (
    """CREATE TABLE searched (
        row INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        UNIQUE (kind, id)
    ) STRICT""",
    f"""CREATE VIRTUAL TABLE searched_text USING fts5(
        {", ".join(Fields._fields)}, prefix = '2 3', tokenize = 'porter unicode61 remove_diacritics 2')""",
)


def follow(store: Store) -> None:
    """Bring the index to the last event.

    Raises
    ------
    StorageError
        Where it is behind and the store is open for reading only.
    """
    while (revision := held(store)) < store.revision:
        if store.read_only:
            raise StorageError(
                "the search index is behind, and the catalog is open for reading only",
                where=str(store.path),
                hint="shoal catalog rebuild",
            )
        with store.transaction() as connection:
            revision = held(store)  # another process may have done it meanwhile
            events = list(store.events(revision, limit=PORTION))
            if not exists(connection):
                for table in TABLES:
                    connection.execute(table)
            for event in {(event.kind, event.id): event for event in events}.values():
                put(connection, event)
            if events:
                store.set_view(VIEW, events[-1].sequence)


def rebuild(store: Store) -> None:
    """Make the index anew."""
    with store.transaction() as connection:
        clear(connection)
        connection.execute("DELETE FROM views WHERE name = ?", (VIEW,))
    follow(store)


def check(store: Store) -> list[str]:
    """Return what is wrong with the index; one that is behind is not."""
    with store.reading() as connection:
        if not exists(connection):
            return [] if held(store) == 0 else ["search: the index is missing (shoal catalog rebuild)"]
        query = """SELECT count(*) FROM searched s LEFT JOIN searched_text t ON t.rowid = s.row
            WHERE t.rowid IS NULL"""
        lost: int = connection.execute(query).fetchone()[0]
    found = [f"search: {lost} documents are not in the index (shoal catalog rebuild)"] if lost else []
    if held(store) == store.revision:
        with store.reading() as connection:
            for ours, theirs, problem in (
                ("searched", "documents", "indexed, but not there"),
                ("documents", "searched", "not indexed"),
            ):
                query = f"SELECT kind, id FROM {ours} EXCEPT SELECT kind, id FROM {theirs} LIMIT 10"
                found += [f"search: {kind} '{id}' is {problem}" for kind, id in connection.execute(query)]
    return found


def held(store: Store) -> int:
    """Return the revision that the index is of."""
    return store.view_revision(VIEW) or 0


def exists(connection: sqlite3.Connection) -> bool:
    """Whether the tables are there."""
    query = "SELECT 1 FROM sqlite_master WHERE name = 'searched_text'"
    return connection.execute(query).fetchone() is not None


def clear(connection: sqlite3.Connection) -> None:
    """Remove the tables."""
    connection.execute("DROP TABLE IF EXISTS searched_text")
    connection.execute("DROP TABLE IF EXISTS searched")


def put(connection: sqlite3.Connection, event: Event) -> None:
    """Take up a document as an event left it."""
    key = (event.kind, event.id)
    row = connection.execute("SELECT row FROM searched WHERE kind = ? AND id = ?", key).fetchone()
    if row is not None:
        connection.execute("DELETE FROM searched_text WHERE rowid = ?", row)
    body = event.body
    if body is None:
        connection.execute("DELETE FROM searched WHERE kind = ? AND id = ?", key)
        return
    if row is None:
        row = (connection.execute("INSERT INTO searched (kind, id) VALUES (?, ?)", key).lastrowid,)
    columns = ",".join("?" * (len(Fields._fields) + 1))
    values = (*row, *fields(*key, body))
    connection.execute(
        f"INSERT INTO searched_text (rowid, {', '.join(Fields._fields)}) VALUES ({columns})", values
    )
