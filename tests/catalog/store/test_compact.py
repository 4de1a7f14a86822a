"""What nobody needs leaves the file, and nothing else; whoever writes, and whenever the power goes."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from shoal.catalog import Catalog, search
from shoal.catalog.documents import Model
from shoal.catalog.store import Store
from shoal.errors import ConflictError, StorageError

SIZE = 200_000
GONE, STAY = 30, 5


def filled(path):
    """Make a catalog with models that stay and others that were removed, and a file that is no model's."""
    draw = random.Random(1)
    with Catalog(path) as catalog:
        for number in range(GONE + STAY):
            with catalog.store.transaction():
                digest = catalog.store.write_blob(draw.randbytes(SIZE))
                catalog.add(
                    Model(sha256=digest, name=f"m{number}", version="1.0.0", format="tflite", size=SIZE)
                )
        for number in range(STAY, GONE + STAY):
            catalog.remove("model", catalog.model(f"m{number}").id)
        catalog.store.write_blob(b"nobody's")
        catalog.find("m1")
    return path


@pytest.fixture
def path(tmp_path):
    return filled(tmp_path / "site.shoal")


def state(path):
    """Return all that may not change."""
    with Store(path) as store:
        events = [(one.sequence, one.at, one.action, one.id, one.text) for one in store.events()]
        return events, [(one.id, one.body) for one in store.records("model")]


def files(path):
    """Return the digests of the files, each after a look at its content."""
    with Store(path) as store, store.reading() as connection:
        digests = [digest for (digest,) in connection.execute("SELECT sha256 FROM blobs")]
        assert all(store.read_blob(digest) for digest in digests)
        return set(digests)


def test_files_of_removed_models_stay_until_that_is_said(path):
    before, whole = state(path), path.stat().st_size
    with Catalog(path) as catalog:
        done = catalog.compact()
        assert (done.removed, done.kept, done.kept_bytes) == (1, GONE, GONE * SIZE)
        assert len(files(path)) == GONE + STAY
        done = catalog.compact(removed=True)
        assert (done.removed, done.kept, done.kept_bytes) == (GONE, 0, 0)
        assert whole - GONE * SIZE * 1.1 < done.after < whole - GONE * SIZE
        assert done.after == path.stat().st_size
        assert list(catalog.check()) == []
        assert [one.title for one in catalog.find("m1")] == ["m1 1.0.0"]
        assert [one.action for one in catalog.history("model", f"sha256:{before[0][9][3][7:]}")] == [
            "created",
            "deleted",
        ]
        assert catalog.compact(removed=True).removed == 0
    assert state(path) == before
    kept = {body["sha256"] for _, body in before[1]}
    assert files(path) == kept


def test_a_model_that_comes_back_brings_its_file(path):
    content = random.Random(1).randbytes(SIZE)  # that of m0, which is taken away first
    with Catalog(path) as catalog:
        model = catalog.model("m0")
        assert catalog.model_file("m0") == content
        catalog.remove("model", model.id)
        catalog.compact(removed=True)
        with catalog.store.transaction():
            catalog.store.write_blob(content)
            catalog.add(model)
        catalog.compact(removed=True)
        assert catalog.model_file("m0") == content


def test_whoever_writes_goes_first(path):
    before = files(path)
    with Store(path) as store, Store(path) as other:
        with other.transaction(), pytest.raises(ConflictError, match="somebody writes"):
            store.compact(removed=True)
        with store.transaction(), pytest.raises(ConflictError, match="somebody writes"):
            store.compact(removed=True)
        ready, done = threading.Event(), threading.Event()

        def write():
            with store.transaction():
                ready.set()
                done.wait(60)

        thread = threading.Thread(target=write)
        thread.start()
        ready.wait(60)
        with pytest.raises(ConflictError, match="somebody writes"):
            store.compact(removed=True)
        done.set()
        thread.join()
        assert files(path) == before
        assert store.compact(removed=True).removed == GONE + 1
        store.put("query", "q", {"n": 1})  # and who writes next waits as long as ever
        assert store._database._writer.execute("PRAGMA busy_timeout").fetchone() == (60_000,)
    with Store(path, read_only=True) as store, pytest.raises(StorageError, match="reading only"):
        store.compact()


def test_readers_read_on(path):
    with Store(path) as store, Catalog(path) as reader:
        model = reader.model("m1")
        pieces = reader.store.blob_pieces(model.sha256)
        first = next(pieces)
        assert store.compact(removed=True).removed == GONE + 1
        assert first + b"".join(pieces) == reader.model_file("m1")
        assert search.find(reader.store, "m1")


COMPACT = """
import sys
from shoal.catalog.store import Store
with Store(sys.argv[1]) as store:
    print(flush=True)
    store.compact(removed=True)
    print("done", flush=True)
"""


def test_a_kill_leaves_all_files_or_those_of_the_models(tmp_path):
    original = filled(tmp_path / "original.shoal")
    before, whole = state(original), files(original)
    kept = {body["sha256"] for _, body in before[1]}
    draw, found, longest = random.Random(2), [], 0.0
    for number in range(10):
        path = tmp_path / f"{number}.shoal"
        path.write_bytes(original.read_bytes())
        process = subprocess.Popen([sys.executable, "-c", COMPACT, path], stdout=subprocess.PIPE)
        process.stdout.readline()
        if number == 0:  # how long it takes here
            start = time.monotonic()
            process.stdout.readline()
            longest = time.monotonic() - start
        else:
            time.sleep(draw.uniform(0, longest))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with Catalog(path) as catalog:
            assert list(catalog.check()) == []
        assert state(path) == before
        left = files(path)
        assert left in (whole, kept)
        found.append(left == kept)
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
    assert found[0]
