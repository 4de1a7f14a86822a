"""What the store survives: kills, full disks, damage, foreign files, other processes."""

from __future__ import annotations

import os
import random
import re
import resource
import sqlite3
import subprocess
import sys
import threading

import pytest

from shoal.catalog.store import Entry, Store
from shoal.errors import ConflictError, ShoalError, StorageError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "site.shoal"


def fill(path, count=50):
    with Store(path) as store:
        store.put_many(Entry("query", f"q{n:04}", {"n": n, "text": "x" * 500}) for n in range(count))
        store.write_blob(b"model" * 1000)


def test_a_writer_is_killed_fifty_times_and_nothing_is_lost():
    done = subprocess.run(
        [sys.executable, "-m", "tests.catalog.store.kill", "50", "7"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "50 kills" in done.stdout
    assert "nothing lost" in done.stdout


def test_each_commit_is_synced(path):
    with Store(path) as store:
        assert store._database._writer.execute("PRAGMA synchronous").fetchone() == (2,)
        assert store._database._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)


WRITER = """
import sys
from shoal.catalog.store import Store
with Store(sys.argv[1]) as store:
    for number in range(30):
        event = store.put("query", f"{sys.argv[2]}/{number}", {"n": number})
        print(event.sequence, flush=True)
"""


def test_processes_write_at_once_while_others_read(path):
    # Nobody has made the file: they also race for that.
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, path, name], stdout=subprocess.PIPE, text=True)
        for name in "abc"
    ]
    with Store(path) as store:
        told: list = []
        store.subscribe(told.extend)
        while any(writer.poll() is None for writer in writers):
            revision = store.revision
            assert [event.sequence for event in store.events()][:revision] == list(range(1, revision + 1))
            store.poll()
        numbers = sorted(int(line) for writer in writers for line in writer.communicate()[0].split())
        assert [writer.returncode for writer in writers] == [0, 0, 0]
        assert numbers == list(range(1, 91))
        store.poll()
        assert [event.sequence for event in told] == list(range(told[0].sequence, 91))
        assert store.count("query") == 90
        assert store.check() == []


def test_a_full_disk_leaves_the_store_as_it_was(path):
    fill(path)
    size = path.stat().st_size
    with Store(path) as store:
        before = [(event.sequence, event.text) for event in store.events()]
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
        try:
            with pytest.raises(StorageError) as error:
                store.put_many(Entry("query", f"r{n}", {"text": "y" * 10_000}) for n in range(1000))
            with pytest.raises(StorageError):
                store.write_blob(bytes(10 * size))
            assert store.get("query", "q0001").body["n"] == 1
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert error.value.where == str(path)
        assert error.value.hint is not None
        assert [(event.sequence, event.text) for event in store.events()] == before
        assert store.put("query", "after", {}).sequence == len(before) + 1  # and goes on
        assert store.check() == []


def test_a_full_disk_within_a_transaction_undoes_all_of_it(path):
    fill(path)
    size = path.stat().st_size

    def write(store):
        with store.transaction():
            store.put("query", "first", {})
            try:
                store.put_many(Entry("query", f"r{n}", {"text": "y" * 200_000}) for n in range(1000))
            except StorageError as error:
                failed.append(error)
            store.put("query", "last", {})

    failed: list = []
    with Store(path) as store:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
        try:
            with pytest.raises(StorageError):
                write(store)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert len(failed) == 1
        assert (store.get("query", "first"), store.get("query", "last"), store.revision) == (None, None, 50)
        assert store.put("query", "after", {}).sequence == 51
        assert store.check() == []


def test_a_full_disk_does_not_harm_a_backup(path, tmp_path):
    fill(path, 500)
    with Store(path) as store:
        store.backup(tmp_path / "backup.shoal")
        good = (tmp_path / "backup.shoal").read_bytes()
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, limits[1]))
        try:
            with pytest.raises(StorageError):
                store.backup(tmp_path / "backup.shoal")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "backup.shoal").read_bytes() == good
    assert sorted(file.name for file in tmp_path.iterdir()) == ["backup.shoal", "site.shoal"]


@pytest.mark.parametrize(
    "content", [b"hello, I am a text file\n" * 100, b"SQLite format 3\0" + bytes(4000), b"\0" * 512]
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(path, content):
    path.write_bytes(content)
    with pytest.raises(StorageError) as error:
        Store(path)
    assert error.value.where == str(path)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused_and_left_alone(path):
    file = sqlite3.connect(path)
    file.execute("CREATE TABLE mine (x)")
    file.commit()
    file.close()
    content = path.read_bytes()
    with pytest.raises(StorageError, match="another program"):
        Store(path)
    assert path.read_bytes() == content


def test_a_path_that_cannot_be_is_an_error(tmp_path):
    for path in (tmp_path, tmp_path / "none" / "site.shoal"):
        with pytest.raises(StorageError) as error:
            Store(path)
        assert error.value.hint is not None


def alter(path, *statements):
    file = sqlite3.connect(path, isolation_level=None)
    file.execute("PRAGMA writable_schema = ON")
    for statement in statements:
        file.execute(statement)
    file.close()


def test_a_newer_format_is_refused_with_a_hint(path):
    fill(path)
    alter(path, "PRAGMA user_version = 2")
    with pytest.raises(StorageError, match="format 2, this release reads up to 1") as error:
        Store(path)
    assert error.value.hint == "pip install --upgrade shoal"


def test_a_file_that_brings_a_program_is_refused(path):
    fill(path)
    alter(path, "CREATE TRIGGER mine AFTER INSERT ON documents BEGIN DELETE FROM blobs; END")
    with pytest.raises(StorageError, match="triggers or views"):
        Store(path)


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        (
            ["DROP TRIGGER events_are_final", "UPDATE events SET body = '{}' WHERE sequence = 7"],
            "event 7 .* damaged",
        ),
        (["DROP TRIGGER events_stay", "DELETE FROM events WHERE sequence = 7"], "events 7 to 7 are missing"),
        (["DROP TRIGGER events_stay"], "missing or changed: CREATE TRIGGER events_stay"),
        (["DELETE FROM documents WHERE id = 'q0003'"], "'q0003' at revision 4 is only in the log"),
        (["UPDATE documents SET revision = 2 WHERE id = 'q0003'"], "'q0003' at revision 2 is not in the log"),
        (["INSERT INTO departed VALUES ('query', 'z', 1)"], "'z' at revision 1 is not in the log"),
        (["UPDATE blobs SET content = x'00'"], "is damaged: its SHA-256"),
    ],
)
def test_check_finds_what_is_wrong(path, statements, problem):
    fill(path)
    alter(path, *statements)
    with Store(path) as store:
        found = store.check()
        assert any(re.search(problem, text) for text in found), found


@pytest.mark.parametrize("statement", ["DELETE FROM documents", "UPDATE documents SET created = 0"])
def test_rebuild_mends_the_documents(path, statement):
    fill(path)
    alter(path, statement)
    with Store(path) as store:
        assert store.check() != []
        store.rebuild()
        assert store.check() == []
        assert store.count("query") == 50


def test_a_file_with_damaged_bytes_is_an_error_or_is_found(path):
    fill(path, 400)
    good = path.read_bytes()
    dice = random.Random(3)
    noticed = 0
    for _ in range(60):
        bad = bytearray(good)
        place = dice.randrange(len(bad))
        bad[place : place + 64] = dice.randbytes(64)
        path.write_bytes(bad)
        for left in path.parent.glob("site.shoal-*"):
            left.unlink()
        try:
            with Store(path) as store:
                found = store.check()
                list(store.records("query"))
            noticed += bool(found)
        except ShoalError as error:
            noticed += error.where is not None
    assert noticed >= 50  # the rest is unused space and what can be computed again


def test_a_cut_file_is_an_error_or_is_found(path):
    fill(path, 400)
    good = path.read_bytes()
    for size in (100, 4096, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:size])
        with pytest.raises(StorageError), Store(path) as store:  # either may notice
            raise StorageError(store.check()[0], where=str(path))


def test_a_backup_is_taken_while_others_write(path, tmp_path):
    fill(path)
    stop = threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            store.put("query", f"w{number % 50}", {"n": number})
            number += 1

    with Store(path) as store:
        thread = threading.Thread(target=write)
        thread.start()
        try:
            for number in range(3):
                store.backup(tmp_path / f"backup{number}.shoal")
        finally:
            stop.set()
            thread.join()
        whole = [(event.sequence, event.text) for event in store.events()]
    for number in range(3):
        Store.restore(tmp_path / f"backup{number}.shoal", tmp_path / f"restored{number}.shoal")
        with Store(tmp_path / f"restored{number}.shoal") as restored:
            found = [(event.sequence, event.text) for event in restored.events()]
            assert found == whole[: len(found)]
            assert len(found) >= 50
            assert restored.check() == []
            restored.put("query", "goes-on", {})


def test_backups_and_restored_files_do_not_overwrite(path, tmp_path):
    fill(path)
    with Store(path) as store:
        with pytest.raises(ConflictError, match="a catalog in use"):
            store.backup(path)
        (tmp_path / "thesis.txt").write_text("x" * 1000)
        with pytest.raises(ConflictError, match="no backup"):
            store.backup(tmp_path / "thesis.txt")
        assert (tmp_path / "thesis.txt").read_text() == "x" * 1000
        with pytest.raises(StorageError):
            store.backup(tmp_path)
        with pytest.raises(StorageError):
            store.backup(tmp_path / "no" / "folder" / "backup.shoal")
        store.backup(tmp_path / "backup.shoal")
        store.backup(tmp_path / "backup.shoal")  # replaces the old one
    with pytest.raises(ConflictError, match="a file already"):
        Store.restore(tmp_path / "backup.shoal", path)
    with pytest.raises(StorageError, match="no such catalog"):
        Store.restore(tmp_path / "none.shoal", tmp_path / "new.shoal")


def test_a_damaged_backup_is_not_restored(path, tmp_path):
    fill(path)
    alter(path, "UPDATE blobs SET content = x'00'")
    with pytest.raises(StorageError, match="the backup is damaged"):
        Store.restore(path, tmp_path / "new.shoal")
    assert not (tmp_path / "new.shoal").exists()


def test_a_store_in_memory_can_be_backed_up(tmp_path):
    with Store(None) as store:
        store.put("query", "a", {"n": 1})
        store.backup(tmp_path / "backup.shoal")
    with Store(tmp_path / "backup.shoal") as copy:
        assert copy.get("query", "a").body == {"n": 1}


def test_a_reader_sees_what_another_process_wrote_and_cannot_write(path):
    fill(path)
    with Store(path, read_only=True) as reader:
        assert reader.revision == 50
        subprocess.run([sys.executable, "-c", WRITER, path, "x"], check=True, capture_output=True)
        assert reader.revision == 80
        assert reader.get("query", "x/29").body == {"n": 29}
        with pytest.raises(StorageError, match="reading only"):
            reader.put("query", "a", {})
    with pytest.raises(StorageError, match="no such catalog"):
        Store(path.with_name("none.shoal"), read_only=True)


def test_a_child_process_is_told_to_open_its_own(path):
    with Store(path) as store:
        store.put("query", "a", {})
        reader, pipe = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                store.get("query", "a")
            except StorageError as error:
                os.write(pipe, error.what.encode())
            os._exit(0)
        os.waitpid(child, 0)
        assert b"opened by another process" in os.read(reader, 1000)
        os.close(reader)
        os.close(pipe)


def test_a_backup_replaces_no_other_catalog(path, tmp_path):
    for name in ("other.shoal", "empty.shoal"):
        Store(tmp_path / name).close()
    with Store(tmp_path / "other.shoal") as other:
        other.put("board", "b0", {"n": 0})
    before = (tmp_path / "other.shoal").read_bytes()
    with Store(path) as store:
        store.put("board", "b0", {"n": 0})
        store.backup(tmp_path / "backup.shoal")
        store.put("board", "b1", {"n": 1})
        with pytest.raises(ConflictError, match="another catalog"):
            store.backup(tmp_path / "other.shoal")
        store.backup(tmp_path / "backup.shoal")
        store.backup(tmp_path / "empty.shoal")  # the beginning of every log
    assert (tmp_path / "other.shoal").read_bytes() == before
    with Store(tmp_path / "backup.shoal") as copy:  # and goes on as a catalog of its own
        assert copy.ids("board") == ["b0", "b1"]
        copy.put("board", "b2", {"n": 2})
    with Store(path) as store, pytest.raises(ConflictError, match="another catalog"):
        store.backup(tmp_path / "backup.shoal")
