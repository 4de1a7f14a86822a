"""Files that are read piece by piece."""

from __future__ import annotations

import random
import sqlite3

import pytest

from shoal.catalog.store import Store
from shoal.catalog.store.blobs import PIECE
from shoal.errors import StorageError, UnknownError


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
@pytest.mark.parametrize("name", [None, "site.shoal"])
def test_the_pieces_are_the_file(tmp_path, size, name):
    content = random.Random(size).randbytes(size)
    with Store(None if name is None else tmp_path / name) as store:
        digest = store.write_blob(content)
        pieces = [*store.blob_pieces(digest)]
        assert b"".join(pieces) == content
        assert len(pieces) == max(1, -(-size // PIECE))
        assert store.blob_size(digest) == size


def test_writers_wait_for_no_reader_of_pieces(tmp_path):
    content = random.Random(0).randbytes(2 * PIECE)
    with Store(tmp_path / "site.shoal") as store:
        digest = store.write_blob(content)
        pieces = store.blob_pieces(digest)
        first = next(pieces)
        store.put("board", "a", {"name": "a"})
        # Nothing holds the log of writes: all of it can go into the file.
        with sqlite3.connect(store.path) as connection:
            busy, pages, moved = connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
        connection.close()
        assert (busy, moved) == (0, pages)
        assert first + b"".join(pieces) == content


def test_a_damaged_file_never_comes_whole(tmp_path):
    with Store(tmp_path / "site.shoal") as store:
        digest = store.write_blob(b"x" * 2 * PIECE)
        with sqlite3.connect(store.path) as connection:
            connection.execute("UPDATE blobs SET content = zeroblob(length(content))")
        connection.close()
        pieces = store.blob_pieces(digest)
        assert next(pieces) == bytes(PIECE)
        with pytest.raises(StorageError, match="is damaged"):
            next(pieces)
        for ask in (store.blob_size, lambda sha256: next(store.blob_pieces(sha256))):
            with pytest.raises(UnknownError, match="no file with the SHA-256"):
                ask("0" * 64)
