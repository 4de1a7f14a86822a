"""The tables of a catalog's file.

========== ==================================================================================
events     the log: every body that a document ever had, in order; nothing changes or leaves it
documents  for each document of now: its last event
departed   for each document that is gone: the event that removed it
blobs      files, by their SHA-256
views      what views keep here: a revision, and bytes that can be computed again
========== ==================================================================================

`documents` and `departed` are a fold of `events`, see :mod:`shoal.catalog.store.log`.
"""

from __future__ import annotations

__all__ = ["APPLICATION", "TABLES", "VERSION"]

APPLICATION = int.from_bytes(b"SHOL", "big")  # `file` and SQLite's header know a catalog by it
VERSION = 1

# `previous` is the event before of the same document. `checksum`: see log.checksum().
# What is small and found by key lies in its tree (WITHOUT ROWID), bodies lie once, in the log.
TABLES: tuple[str, ...] = (
    """CREATE TABLE events (
        sequence INTEGER PRIMARY KEY,
        at REAL NOT NULL,
        action TEXT NOT NULL CHECK (action IN ('created', 'updated', 'deleted')),
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        body TEXT CHECK ((body IS NULL) = (action = 'deleted')),
        previous INTEGER CHECK (previous < sequence),
        expires REAL,
        registration TEXT,
        actor TEXT NOT NULL,
        checksum INTEGER NOT NULL
    ) STRICT""",
    """CREATE INDEX events_of_model ON events (json_extract(body, '$.model'))
        WHERE kind IN ('alias', 'deployment')""",
    """CREATE INDEX events_of_device ON events (json_extract(body, '$.device'))
        WHERE kind IN ('alias', 'deployment')""",
    """CREATE TABLE documents (
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        revision INTEGER NOT NULL,
        created REAL NOT NULL,
        expires REAL,
        PRIMARY KEY (kind, id)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX documents_expire ON documents (expires) WHERE expires IS NOT NULL",
    """CREATE TABLE departed (
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        revision INTEGER NOT NULL,
        PRIMARY KEY (kind, id)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE blobs (
        sha256 TEXT PRIMARY KEY,
        content BLOB NOT NULL
    ) STRICT""",
    """CREATE TABLE views (
        name TEXT PRIMARY KEY,
        revision INTEGER NOT NULL,
        content BLOB NOT NULL
    ) STRICT""",
    """CREATE TRIGGER events_stay BEFORE DELETE ON events
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    """CREATE TRIGGER events_are_final BEFORE UPDATE ON events
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
)
