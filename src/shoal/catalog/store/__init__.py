"""Where the documents of a catalog are: one SQLite file, safe among threads and processes.

The truth is an append-only log of events. The documents of now are its fold; columns, RDF and full-text
search are views of it, which remember the revision that they hold and can be built anew at any time.
"""

from __future__ import annotations

from shoal.catalog.store.compact import Compaction
from shoal.catalog.store.entries import Entry, Event, Record
from shoal.catalog.store.store import Store

__all__ = ["Compaction", "Entry", "Event", "Record", "Store"]
